// The program's metrics, in Prometheus' text form.
//
// Labels come from small fixed sets (method, code, partition, state): never a facility, a patient
// or free text.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace simpul::base {

using Labels = std::map<std::string, std::string>;

// Makes and holds metrics. A metric asked for again is the same one. Any thread; references live as
// long as the registry.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  // Buckets in seconds from 0.5 ms to 30 s.
  prometheus::Histogram& Seconds(const std::string& name, const std::string& help,
                                 const Labels& labels = {});

  // What /metrics answers.
  std::string Render() const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
};

}  // namespace simpul::base
