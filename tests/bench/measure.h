// What the benchmarks share: cost, threads, lines of the table.
#pragma once

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/base/check.h"

namespace simpul::bench {

struct Cost {
  double wall_s = 0;
  double cpu_s = 0;  // of all threads of this process
};

// `who`: RUSAGE_SELF or RUSAGE_CHILDREN.
inline double CpuSeconds(int who = RUSAGE_SELF) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The same of another process that runs.
inline double CpuSecondsOf(pid_t process) {
  clockid_t clock;
  timespec taken{};
  SIMPUL_CHECK(::clock_getcpuclockid(process, &clock) == 0 && ::clock_gettime(clock, &taken) == 0,
               "The process has ended.");
  return static_cast<double>(taken.tv_sec) + static_cast<double>(taken.tv_nsec) * 1e-9;
}

inline double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline Cost Measure(const std::function<void()>& work) {
  const double cpu = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  work();
  return {.wall_s = SecondsSince(begin), .cpu_s = CpuSeconds() - cpu};
}

inline void OnThreads(size_t count, const std::function<void(size_t)>& work) {
  std::vector<std::thread> threads;
  for (size_t n = 0; n < count; ++n) threads.emplace_back(work, n);
  for (std::thread& thread : threads) thread.join();
}

// Of at least one value.
inline double Quantile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  const auto at = static_cast<size_t>(static_cast<double>(values.size()) * part);
  return values[std::min(at, values.size() - 1)];
}
inline double Median(std::vector<double> values) { return Quantile(std::move(values), 0.5); }

// One line of the table, as JSON. `ratio`: ours / raw.
inline void Print(std::string_view name, double ours, double raw, std::string_view unit) {
  fmt::print(R"({{"name":"{}","ours":{:.3f},"raw":{:.3f},"unit":"{}","ratio":{:.2f}}})"
             "\n",
             name, ours, raw, unit, ours / raw);
  std::fflush(stdout);
}
// The same with what was asked for in place of a raw limit.
inline void PrintAsked(std::string_view name, double ours, std::string_view asked,
                       std::string_view unit) {
  fmt::print(R"({{"name":"{}","ours":{:.3f},"asked":"{}","unit":"{}"}})"
             "\n",
             name, ours, asked, unit);
  std::fflush(stdout);
}

}  // namespace simpul::bench
