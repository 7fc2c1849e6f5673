// Ingest and timeline as processes of their own on Kafka, called over gRPC: how late single events
// at the nation's peak hour are on their timelines.
//
//   tests/support/with_kafka.py -- bench_kafka_serve PROGRAM [EVENTS]
//
// Prints one JSON object a line, as the others. PROGRAM is the path of simpul. EVENTS are pushed
// before the clock runs (50,000 unless said otherwise): brokers and connections are slow at first.
// Broker, program and load share the machine.

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/log.h"
#include "tests/bench/broker.h"
#include "tests/bench/measure.h"
#include "tests/bench/serving.h"
#include "tests/bench/weighings.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace simpul::bench {
namespace {

constexpr size_t kBatch = 500;
constexpr size_t kRounds = 3;

int Run(const std::string& program, size_t events) {
  base::SetLogMinimum(base::Severity::kError);
  const char* bootstrap = std::getenv("SIMPUL_KAFKA");
  SIMPUL_CHECK(bootstrap != nullptr, "run by tests/support/with_kafka.py");
  const pid_t broker = BrokerPid();
  const testing::TempFolder folder;
  const std::vector<std::string> log = {"--kafka", bootstrap, "--secret",
                                        (folder.path() / "secret").string()};
  std::vector<std::string> make = {"topics", "--create", "--replicas", "1"};
  make.insert(make.end(), log.begin(), log.end());
  // One copy is less than what is promised: the command complains, and the topics are there.
  testing::ChildProcess(std::filesystem::absolute(program), make).Wait();
  const auto serve = [&](const std::string& role) {
    std::vector<std::string> words = {role, "--log", "kafka", "--accept-single-copy"};
    words.insert(words.end(), log.begin(), log.end());
    return std::make_unique<Serving>(program, folder.path() / role, std::move(words));
  };
  const auto ingest = serve("ingest");
  const auto timeline = serve("timeline");
  const std::string to = ingest->Address("grpc");
  const std::string from = timeline->Address("grpc");
  const size_t patients = std::max<size_t>(events / kEventsAPatient, 1);
  Caller caller(to, from);
  size_t pushed = 0;
  for (; pushed < events; pushed += kBatch) caller.Submit(pushed, pushed + kBatch, patients);
  while (!caller.HasCaughtUp())
    std::this_thread::sleep_until(Steady::now() + std::chrono::milliseconds(20));
  std::vector<double> p99;
  for (size_t round = 0; round < kRounds + 1; ++round) {
    const auto cpu_s = [&] {
      return std::vector<double>{CpuSecondsOf(ingest->pid()), CpuSecondsOf(timeline->pid()),
                                 CpuSecondsOf(broker)};
    };
    const std::vector<double> before = cpu_s();
    const std::vector<double> ms = Pace(to, from, pushed, patients);
    pushed += static_cast<size_t>(kRate) * kPacedSeconds;
    // The first does not count: it teaches the broker what small requests are.
    if (round > 0) p99.push_back(Quantile(ms, 0.99));
    fmt::print(stderr, "p50 {:.1f} ms, p90 {:.1f}, p95 {:.1f}, p99 {:.1f}, max {:.1f}\n",
               Quantile(ms, 0.5), Quantile(ms, 0.9), Quantile(ms, 0.95), Quantile(ms, 0.99),
               Quantile(ms, 1));
    const std::vector<double> after = cpu_s();
    const auto us = [&](size_t n) { return (after[n] - before[n]) * 1e6 / kRate / kPacedSeconds; };
    fmt::print(stderr,
               "processor time an event: ingest {:.0f} us, timeline {:.0f}, broker {:.0f}\n", us(0),
               us(1), us(2));
  }
  PrintAsked(fmt::format("push to timeline on Kafka at {} events/s, p99", kRate), Median(p99),
             "< 100", "ms");
  return 0;
}

}  // namespace
}  // namespace simpul::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_kafka_serve PROGRAM [EVENTS]\n");
    return 2;
  }
  return simpul::bench::Run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 50'000);
}
