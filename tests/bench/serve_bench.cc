// The program as it is run: `simpul serve` in a process of its own, called over gRPC.
//
//   bench_serve PROGRAM [EVENTS [FOLDER]]     prints one JSON object a line
//
// PROGRAM is the path of simpul. FOLDER is kept, and used as it is when it holds data already.
// Fills a log with EVENTS (1 million unless said otherwise) before it starts the program on it: how
// fast it is ready, how much memory it holds, what an event costs it, how late single events at the
// nation's peak hour are on their timelines, how many events a second a burst puts there, how soon
// all is there again after kill -9. The program has no platform to send to: bench_delivery measures
// that.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/data_folder.h"
#include "lib/eventlog/embedded_log.h"
#include "tests/bench/measure.h"
#include "tests/bench/serving.h"
#include "tests/bench/weighings.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_folder.h"

namespace simpul::bench {
namespace {

constexpr size_t kBurstEvents = 100'000;
constexpr size_t kFewEvents = 10'000;
constexpr size_t kCostRounds = 5;
constexpr size_t kBurstThreads = 4;
constexpr double kSyncSeconds = 5;
constexpr size_t kBatch = 500;

// `simpul serve` on a folder, all roles on the log in it.
class Program : public Serving {
 public:
  Program(const std::string& path, const std::filesystem::path& data) : Serving(path, data) {}

  // Records that were appended to the log since the start, and how many of them the forwarder and
  // the timelines have taken: each takes every one, where nothing is sent.
  struct Taken {
    double appended = 0;
    double by_forwarder = 0;
    double by_timelines = 0;
  };
  Taken Records() const {
    Taken taken;
    ForEachMetric([&taken](std::string_view name, double value) {
      constexpr std::string_view kApplied = "simpul_log_applied_records_total{consumer=\"";
      if (name == "simpul_log_appended_records_total") taken.appended += value;
      if (name.starts_with(std::string(kApplied) + "forwarder")) taken.by_forwarder += value;
      if (name.starts_with(std::string(kApplied) + "timeline")) taken.by_timelines += value;
    });
    return taken;
  }

  // Waits until every role has taken what was appended since, and RocksDB has nothing left to write
  // or to merge. The lag that the program shows is told once a second only: it would let the last
  // of the work go uncounted.
  void AwaitIdle(const Taken& since) const {
    for (;; Pause()) {
      const Taken now = Records();
      const double appended = now.appended - since.appended;
      if (now.by_forwarder - since.by_forwarder == appended &&
          now.by_timelines - since.by_timelines == appended)
        break;
    }
    AwaitMerged();
  }

  // The same for a program that has just begun to read a log.
  void AwaitIdle() const {
    for (int idle_looks = 0; idle_looks < 10; Pause()) {
      double left = 0;
      ForEachMetric([&left](std::string_view name, double value) {
        if (name.starts_with("simpul_log_lag_records{")) left += value;
      });
      idle_looks = left == 0 ? idle_looks + 1 : 0;
    }
    AwaitMerged();
  }

  // Processor time it has taken, microseconds.
  double CpuMicros() const { return CpuSecondsOf(pid()) * 1e6; }

  // The same by what its threads are called, numbers at the end left out.
  std::map<std::string, double> CpuMicrosByThread() const {
    std::map<std::string, double> taken;
    std::error_code gone;  // a thread may end while it is looked at
    for (const auto& task :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid()), gone)) {
      std::string name;
      double nanos = 0;
      std::getline(std::ifstream(task.path() / "comm"), name);
      std::ifstream(task.path() / "schedstat") >> nanos;
      taken[name.substr(0, name.find_last_not_of("0123456789") + 1)] += nanos * 1e-3;
    }
    return taken;
  }

  // In MiB: VmRSS now, or VmHWM, the most there was.
  double Resident(std::string_view row) const {
    std::ifstream in(fmt::format("/proc/{}/status", pid()));
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(row)) return std::stod(line.substr(row.size() + 1)) / 1024;
    }
    return 0;
  }

 private:
  static void Pause() {
    std::this_thread::sleep_until(Steady::now() + std::chrono::milliseconds(200));
  }

  template <typename Metric>
  void ForEachMetric(Metric metric) const {
    testing::HttpClient admin(Address("admin"));
    std::istringstream metrics(admin.Get("/metrics").body);
    for (std::string line; std::getline(metrics, line);) {
      const size_t space = line.rfind(' ');
      if (line.starts_with("#") || space == std::string::npos) continue;
      metric(std::string_view(line).substr(0, space), std::stod(line.substr(space)));
    }
  }

  // Until RocksDB's own threads stand still.
  void AwaitMerged() const {
    double before = -1;
    for (;; Pause()) {
      double taken = 0;
      for (const auto& [thread, micros] : CpuMicrosByThread()) {
        if (thread.starts_with("rocksdb:")) taken += micros;
      }
      if (taken == before) return;
      before = taken;
    }
  }
};

// What the disk alone takes to make a small record durable, in milliseconds, as often as one can
// follow another for some seconds.
std::vector<double> SyncAlone(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "sync";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  SIMPUL_CHECK(fd >= 0, "{} cannot be written.", file.string());
  const std::string record(600, 'x');
  std::vector<double> all;
  const auto begin = Steady::now();
  while (SecondsSince(begin) < kSyncSeconds) {
    const auto one = Steady::now();
    SIMPUL_CHECK(::write(fd, record.data(), record.size()) == static_cast<ssize_t>(record.size()) &&
                     ::fdatasync(fd) == 0,
                 "{} cannot be written.", file.string());
    all.push_back(SecondsSince(one) * 1000);
  }
  ::close(fd);
  std::filesystem::remove(file);
  return all;
}

// Pushes in batches from some threads. `after` is called on each with its caller, the first event
// of the last batch and the positions of that batch.
template <typename After>
void Push(const std::string& address, size_t first, size_t count, size_t patients, After after) {
  OnThreads(kBurstThreads, [&](size_t thread) {
    Caller caller(address);
    std::vector<std::string> positions;
    size_t at = 0;
    for (size_t n = thread * kBatch; n < count; n += kBurstThreads * kBatch) {
      at = first + n;
      positions = caller.Submit(at, at + kBatch, patients);
    }
    after(caller, at, positions);
  });
}

// Events a second, from the first call until the last event is seen on its timeline.
double Burst(const std::string& address, size_t first, size_t count, size_t patients) {
  const auto begin = Steady::now();
  Push(address, first, count, patients,
       [patients](Caller& caller, size_t at, const std::vector<std::string>& positions) {
         // The last batch lies in every partition.
         for (size_t n = 0; n < positions.size(); ++n) caller.Await(at + n, patients, positions[n]);
       });
  return static_cast<double>(count) / SecondsSince(begin);
}

// Makes a data folder whose log holds so many events.
void Make(const std::filesystem::path& data, size_t events, size_t patients) {
  auto opened = eventlog::DataFolder::Open(data);
  SIMPUL_CHECK(opened.ok(), "{}", base::Message(opened.status()));
  base::Metrics metrics;
  auto log = eventlog::EmbeddedLog::Open(opened->log(),
                                         {.secret_fingerprint = opened->secret().Fingerprint()},
                                         base::SystemClock(), metrics);
  SIMPUL_CHECK(log.ok(), "{}", base::Message(log.status()));
  Fill(**log, opened->secret(), events, patients);
}

// Processor time of the next events, from the push until all roles have taken what came of them and
// nothing is left to write or to merge: microseconds of the program an event. `by_thread` is added
// to. No timeline is read meanwhile: readers would be a fifth of what is counted.
double CostOfNext(const Program& serve, size_t first, size_t patients,
                  std::map<std::string, double>& by_thread) {
  serve.AwaitIdle();
  const Program::Taken records_before = serve.Records();
  const double before = serve.CpuMicros();
  const std::map<std::string, double> threads_before = serve.CpuMicrosByThread();
  Push(serve.Address("grpc"), first, kFewEvents, patients, [](auto&&...) {});
  serve.AwaitIdle(records_before);
  constexpr auto kEvents = static_cast<double>(kFewEvents);
  for (const auto& [thread, micros] : serve.CpuMicrosByThread()) {
    const auto was = threads_before.find(thread);
    by_thread[thread] += (micros - (was == threads_before.end() ? 0 : was->second)) / kEvents;
  }
  return (serve.CpuMicros() - before) / kEvents;
}

int Run(const std::string& program, size_t events, const std::filesystem::path& folder) {
  base::SetLogMinimum(base::Severity::kError);
  const std::filesystem::path data = folder / "data";
  // With half of their events.
  const auto patients_of = [](size_t held) {
    return std::max<size_t>(held / kEventsAPatient * 2, 1);
  };
  const size_t patients = patients_of(events);
  if (!std::filesystem::exists(data)) Make(data, events, patients);
  const auto started = Steady::now();
  Program serve(program, data);
  const std::string address = serve.Address("grpc");
  Caller caller(address);
  while (!caller.HasCaughtUp())
    std::this_thread::sleep_until(Steady::now() + std::chrono::milliseconds(20));
  PrintAsked(fmt::format("serve: catching up with {} events, all roles", events),
             static_cast<double>(events) / SecondsSince(started), "", "events/s");
  size_t pushed = events;
  std::vector<double> at_few, at_many;
  std::map<std::string, double> few_by_thread, many_by_thread;
  for (size_t round = 0; round < kCostRounds; ++round) {
    const std::filesystem::path few = folder / fmt::format("few-{}", round);
    Make(few, kFewEvents, patients_of(kFewEvents));
    at_few.push_back(
        CostOfNext(Program(program, few), kFewEvents, patients_of(kFewEvents), few_by_thread));
    at_many.push_back(CostOfNext(serve, pushed, patients, many_by_thread));
    pushed += kFewEvents;
    fmt::print(stderr, "processor time an event: with {} events {:.0f} us, with {} {:.0f} us\n",
               kFewEvents, at_few.back(), events, at_many.back());
  }
  for (const auto& [thread, micros] : many_by_thread) {
    fmt::print(stderr, "thread {:16} {:7.1f} us an event with {} events, {:7.1f} with {}\n", thread,
               few_by_thread[thread] / kCostRounds, kFewEvents, micros / kCostRounds, events);
  }
  // The mean: a merge of what many rounds wrote falls into one of them.
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  PrintAsked(
      fmt::format("processor time an event with {} events, to that with {}", events, kFewEvents),
      mean(at_many) / mean(at_few), "< 1.2", "");
  const std::vector<double> sync_ms = SyncAlone(folder);
  PrintAsked("one small write made durable on this disk, nothing else asked of it, p99",
             Quantile(sync_ms, 0.99), "", "ms");
  const std::vector<double> ms = Pace(address, address, pushed, patients);
  pushed += kRate * kPacedSeconds;
  fmt::print(stderr, "p50 {:.1f} ms, p90 {:.1f}, p95 {:.1f}, p99 {:.1f}, max {:.1f}\n",
             Quantile(ms, 0.5), Quantile(ms, 0.9), Quantile(ms, 0.95), Quantile(ms, 0.99),
             Quantile(ms, 1));
  PrintAsked(fmt::format("push to timeline at {} events/s, p99", kRate), Quantile(ms, 0.99), "< 50",
             "ms");
  PrintAsked("push to timeline in a burst, batches of 500",
             Burst(address, pushed, kBurstEvents, patients), ">= 3400", "events/s");
  PrintAsked(fmt::format("memory of serve with {} events", events), serve.Resident("VmRSS:"),
             "< 256", "MiB");
  PrintAsked("memory of serve, the most there was", serve.Resident("VmHWM:"), "", "MiB");
  serve.Kill();
  const auto again = Steady::now();
  const Program restarted(program, data);
  Caller after(restarted.Address("grpc"));
  while (!after.HasCaughtUp())
    std::this_thread::sleep_until(Steady::now() + std::chrono::milliseconds(20));
  PrintAsked("all timelines there again after kill -9", SecondsSince(again), "", "s");
  return 0;
}

}  // namespace
}  // namespace simpul::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_serve PROGRAM [EVENTS [FOLDER]]\n");
    return 2;
  }
  simpul::testing::TempFolder own;
  return simpul::bench::Run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000,
                            argc > 3 ? std::filesystem::path(argv[3]) : own.path());
}
