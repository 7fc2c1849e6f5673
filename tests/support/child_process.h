// Another program of the build that a test starts, hears and kills.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace simpul::testing {

class ChildProcess {
 public:
  // Starts `program`, which stands beside the test's own unless it is an absolute path.
  // `environment` (NAME=VALUE) is added to this process's.
  ChildProcess(const std::string& program, std::vector<std::string> arguments,
               std::vector<std::string> environment = {});
  // Kills it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Until it has said so many whole lines on its standard output, or ended.
  void Hear(size_t lines);

  // kill -9, and hears what was still on the way.
  void Kill();
  // The same after a while: the moment of the kill is what is tried, not something waited for.
  void KillAfter(std::chrono::microseconds pause);

  // Asks it to end (SIGTERM), then as Wait.
  int Stop();

  // Hears it out. Its exit status, or minus the signal. Again: the same.
  int Wait();

  pid_t pid() const { return pid_; }
  // What it has said so far.
  const std::string& said() const { return said_; }
  // The whole lines of it.
  std::vector<std::string> Lines() const;

 private:
  pid_t pid_ = 0;
  int output_ = -1;
  int status_ = 0;
  std::string said_;
};

}  // namespace simpul::testing
