// A process that appends to a log until it is killed, or until its disk fails; the crash tests'
// prey.
//
//   eventlog_log_writer FOLDER WRITERS BATCH [FAULT AFTER]
//
// Prints a line "partition position value" for each acknowledged record, before the next is
// appended. FAULT (no_space, write_error, sync_error) begins after AFTER batches; the process then
// prints what the log says about it and ends with 0.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/base/status_macros.h"
#include "lib/eventlog/embedded_log.h"
#include "tests/eventlog/log_writer.h"

namespace {

enum class Fault { kNone, kNoSpace, kWriteError, kSyncError };
std::atomic<Fault> fault = Fault::kNone;

bool IsFile(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

ssize_t Fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

// These stand before the C library's for everything in this process, RocksDB too.
extern "C" {

ssize_t write(int fd, const void* bytes, size_t count) {
  if (fault == Fault::kWriteError && IsFile(fd)) return Fail(EIO);
  if (fault == Fault::kNoSpace && IsFile(fd)) {
    // A full disk takes a part first.
    if (count > 1) ::syscall(SYS_write, fd, bytes, count / 2);
    return Fail(ENOSPC);
  }
  return ::syscall(SYS_write, fd, bytes, count);
}

int fdatasync(int fd) {
  if (fault == Fault::kSyncError && IsFile(fd)) return static_cast<int>(Fail(EIO));
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int fsync(int fd) {
  if (fault == Fault::kSyncError && IsFile(fd)) return static_cast<int>(Fail(EIO));
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

}  // extern "C"

namespace simpul::eventlog {
namespace {

void Print(const std::string& text) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data() + written, text.size() - written);
    if (n <= 0) ::_exit(3);
    written += static_cast<size_t>(n);
  }
}

Fault FaultNamed(std::string_view name) {
  if (name == "no_space") return Fault::kNoSpace;
  if (name == "write_error") return Fault::kWriteError;
  return name == "sync_error" ? Fault::kSyncError : Fault::kNone;
}

int Run(int count, char** words) {
  if (count != 4 && count != 6) return 2;
  const std::string folder = words[1];
  const int writers = std::atoi(words[2]);
  const int batch = std::atoi(words[3]);
  const Fault wanted = count == 6 ? FaultNamed(words[4]) : Fault::kNone;
  const int after = count == 6 ? std::atoi(words[5]) : 0;

  base::Metrics metrics;
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> log =
      EmbeddedLog::Open(folder, CrashTestOptions(), base::SystemClock(), metrics);
  if (!log.ok()) {
    Print(fmt::format("cannot open: {}\n", base::Message(log.status())));
    return 1;
  }
  std::atomic<bool> is_failed = false;
  std::atomic<int> batches = 0;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (uint64_t number = 0; !is_failed;) {
        std::vector<Draft> drafts;
        std::vector<std::string> values;
        for (int i = 0; i < batch; ++i, ++number) {
          values.push_back(fmt::format("{}-{}-{}", ::getpid(), writer, number));
          drafts.push_back({.key = fmt::format("{:016}", number * 7 % 101),
                            .value = CrashTestValue(values.back())});
        }
        const std::vector<Draft> sent = drafts;
        const std::vector<Appended> outcomes = AppendAndWait(**log, std::move(drafts));
        std::string lines;
        for (size_t i = 0; i < outcomes.size(); ++i) {
          if (outcomes[i].ok()) {
            lines +=
                fmt::format("{} {} {}\n", event::PartitionOf(sent[i].key, (*log)->partitions()),
                            *outcomes[i], values[i]);
          } else {
            is_failed = true;
            lines += fmt::format("refused: {}\n", outcomes[i].status().ToString());
          }
        }
        Print(lines);
        if (++batches == after) fault = wanted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<Draft> drafts;
  drafts.push_back({.key = "k", .value = "later"});
  (*log)->Append(std::move(drafts), nullptr, [](std::vector<Appended> outcomes) {
    Print(fmt::format("later: {}\n", outcomes.at(0).status().ToString()));
  });
  Print(fmt::format("admits: {}\n", (*log)->Admit(1).status().ToString()));
  Print(fmt::format("health: {}\n", (*log)->Health().ToString()));
  log->reset();
  return 0;
}

}  // namespace
}  // namespace simpul::eventlog

int main(int count, char** words) { return simpul::eventlog::Run(count, words); }
