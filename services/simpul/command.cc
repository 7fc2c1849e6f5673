#include "simpul/command.h"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/status_macros.h"

namespace simpul::cli {
namespace {

// Never destroyed: a signal may come at any time.
Stop& TheStop() {
  static Stop& stop = *new Stop();
  return stop;
}

void OnStop(int) { TheStop().Ask(); }

std::string_view WithoutFullStop(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

// What kept gRPC from connecting: the end of "failed to connect to all addresses; last error: ...:
// Connection refused".
std::string_view LastWords(std::string_view words) {
  const size_t colon = words.rfind(": ");
  return WithoutFullStop(colon == std::string_view::npos ? words : words.substr(colon + 2));
}

}  // namespace

void AddDoor(CLI::App& command, Door& door) {
  command.add_option("--to", door.to, "Address of a running Simpul, HOST:PORT")
      ->capture_default_str();
  command.add_flag("--json", door.json, "Answer in JSON, one object a line");
}

std::string Explain(const absl::Status& status, const std::string& address) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      // gRPC's own words for a call that reached nobody; all others are the server's, which may
      // have reached nobody itself, or say that the connection broke.
      if (!base::Message(status).starts_with("failed to connect")) {
        return fmt::format("{} cannot answer now: {}; try again", address,
                           WithoutFullStop(base::Message(status)));
      }
      return fmt::format(
          "no Simpul answers at {} ({}); start one with 'simpul serve --data DIR', or name another "
          "with --to HOST:PORT",
          address, LastWords(base::Message(status)));
    case absl::StatusCode::kDeadlineExceeded:
      return fmt::format("{} did not answer in time ({}); try again", address,
                         base::Message(status));
    case absl::StatusCode::kUnimplemented:
      return fmt::format(
          "what answers at {} is no Simpul, or one without this service; check --to and the "
          "versions",
          address);
    case absl::StatusCode::kCancelled:
      return "stopped";
    default:
      return fmt::format("{} answered: {}", address, base::Message(status));
  }
}

int ExitOf(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? kWrongUse : kFailed;
}

std::string UserName() {
  const passwd* const user = getpwuid(geteuid());
  return user == nullptr ? fmt::format("uid {}", geteuid()) : user->pw_name;
}

const Stop& Stopping() { return TheStop(); }

void WatchStop() {
  TheStop();  // made before a signal's handler needs it
  struct sigaction action = {};
  action.sa_handler = OnStop;
  // Once only: the second signal does what signals do. No SA_RESTART: a read that waits returns.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace simpul::cli
