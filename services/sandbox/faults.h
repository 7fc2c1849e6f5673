// Failures on demand: which requests are to go wrong, and how. Deterministic for a seed and an
// order of requests.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/rpc/http_server.h"
#include "sandbox/json.h"
#include "sandbox/outcome.h"

namespace simpul::sandbox {

// What goes wrong with one request.
struct Fault {
  int status = 0;                         // answer so, without doing anything; 0: do it
  std::optional<Issue> issue;             // of an OperationOutcome in place of the usual body
  int retry_after = -1;                   // seconds, in a Retry-After header
  std::string text;                       // body, as text/plain
  int delay_ms = 0;                       // before the answer
  bool close_before = false;              // close the connection, having done nothing
  bool answer_lost_after_commit = false;  // do it, then close without an answer
  bool half_answer = false;               // do it, then close in the middle of the answer
};

// Rules, tried in the order in which they were set; the first that fires decides. Any thread.
class Faults {
 public:
  explicit Faults(uint64_t seed) : seed_(seed) {}

  // {"match":{"method","path","organization","nth","every","probability"},"fault":{...},"times":N}
  // Returns the rule's number. InvalidArgument names the member.
  absl::StatusOr<uint64_t> Set(const Json& rule);
  // The fault of a request that is about to be handled; counts it.
  std::optional<Fault> Meet(const rpc::HttpRequest& request, std::string_view organization);

  // {"faults":[{"id","rule":{...},"matched","fired"}]}
  std::string List() const;
  // False when there is no such rule.
  bool Clear(uint64_t id);
  void ClearAll();

  static constexpr size_t kRulesMax = 1000;

 private:
  struct Rule {
    uint64_t id = 0;
    std::string text;          // as it was set
    std::string method, path;  // empty: any; a path ending in '*' is a beginning
    std::string organization;
    uint64_t nth = 0, every = 0, times = 0;  // 0: not said
    double probability = 1;
    Fault fault;
    uint64_t matched = 0, fired = 0;
  };

  const uint64_t seed_;
  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  uint64_t next_id_ = 1;
};

// The answer of a fault that has a status.
rpc::HttpResponse Answer(const Fault& fault);

}  // namespace simpul::sandbox
