#include "tests/support/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <sstream>
#include <utility>

#include "lib/base/check.h"

namespace simpul::testing {

ChildProcess::ChildProcess(const std::string& program, std::vector<std::string> arguments,
                           std::vector<std::string> environment) {
  const std::string path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
  arguments.insert(arguments.begin(), path);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (char** variable = environ; *variable != nullptr; ++variable) envp.push_back(*variable);
  for (std::string& variable : environment) envp.push_back(variable.data());
  envp.push_back(nullptr);
  int ends[2];
  SIMPUL_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "No pipe.");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  SIMPUL_CHECK(pid_ >= 0, "{} cannot be started.", path);
  if (pid_ == 0) {
    // Nothing of a test that was killed stays behind. (Only what may be called after a fork.)
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent && ::dup2(ends[1], STDOUT_FILENO) >= 0) {
      ::execve(path.c_str(), argv.data(), envp.data());
    }
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

ChildProcess::~ChildProcess() {
  if (pid_ != 0) Kill();
}

void ChildProcess::Hear(size_t lines) {
  while (static_cast<size_t>(std::ranges::count(said_, '\n')) < lines) {
    char buffer[4096];
    const ssize_t n = ::read(output_, buffer, sizeof buffer);
    if (n <= 0) return;
    said_.append(buffer, static_cast<size_t>(n));
  }
}

void ChildProcess::Kill() {
  ::kill(pid_, SIGKILL);
  Wait();
}

void ChildProcess::KillAfter(std::chrono::microseconds pause) {
  const timespec time{.tv_sec = 0, .tv_nsec = static_cast<long>(pause.count()) * 1000};
  ::nanosleep(&time, nullptr);
  Kill();
}

int ChildProcess::Stop() {
  if (pid_ != 0) ::kill(pid_, SIGTERM);
  return Wait();
}

int ChildProcess::Wait() {
  if (pid_ == 0) return status_;
  Hear(std::numeric_limits<size_t>::max());
  ::close(output_);
  int status = 0;
  ::waitpid(std::exchange(pid_, 0), &status, 0);
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return status_;
}

std::vector<std::string> ChildProcess::Lines() const {
  std::vector<std::string> lines;
  std::istringstream text(said_.substr(0, said_.rfind('\n') + 1));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace simpul::testing
