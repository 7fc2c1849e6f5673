#include "simpul/checkpoint.h"

#include <fmt/format.h>
#include <netdb.h>
#include <rapidjson/document.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "lib/base/status_macros.h"
#include "lib/rpc/admin.h"
#include "simpul/output.h"

namespace simpul::cli {
namespace {

// A flush of the write buffers and a link for each file.
constexpr timeval kAnswerWithin{.tv_sec = 60};
constexpr size_t kAnswerBytesMax = 1 << 20;

struct CloseSocket {
  int fd = -1;
  ~CloseSocket() {
    if (fd >= 0) ::close(fd);
  }
};

absl::Status NobodyAnswers(const std::string& admin, const char* why) {
  return absl::UnavailableError(
      fmt::format("the process that serves does not answer at {}: {}", admin, why));
}

// One request on a connection of its own; the whole answer.
absl::StatusOr<std::string> Exchange(const std::string& admin, const std::string& request) {
  const size_t colon = admin.rfind(':');
  if (colon == std::string::npos) return NobodyAnswers(admin, "no HOST:PORT");
  std::string host = admin.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), admin.c_str() + colon + 1, &hints, &found) != 0) {
    return NobodyAnswers(admin, "no such address");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  const CloseSocket socket{::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket.fd < 0 ||
      ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerWithin, sizeof kAnswerWithin) != 0 ||
      ::connect(socket.fd, found->ai_addr, found->ai_addrlen) != 0 ||
      ::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request.size())) {
    return NobodyAnswers(admin, std::strerror(errno));
  }
  std::string answer;
  char buffer[4096];
  while (answer.size() < kAnswerBytesMax) {
    const ssize_t n = ::recv(socket.fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return NobodyAnswers(admin, std::strerror(errno));
    if (n == 0) break;
    answer.append(buffer, static_cast<size_t>(n));
  }
  return answer;
}

}  // namespace

absl::StatusOr<std::string> MakeCheckpoint(eventlog::EmbeddedLog& log,
                                           const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) {
    return absl::UnavailableError(
        fmt::format("cannot delete {}: {}", folder.string(), error.message()));
  }
  std::vector<std::string> ends;
  for (const eventlog::Topic topic : eventlog::kTopics) {
    for (uint32_t partition = 0; partition < log.partitions(); ++partition) {
      SIMPUL_ASSIGN_OR_RETURN(const int64_t end, log.End({topic, partition}));
      ends.push_back(fmt::format("{}", end));
    }
  }
  SIMPUL_RETURN_IF_ERROR(log.Checkpoint(folder));
  return JsonLine().RawList("ends", ends).Take();
}

absl::StatusOr<std::string> AskForCheckpoint(const std::string& admin) {
  SIMPUL_ASSIGN_OR_RETURN(
      const std::string answer,
      Exchange(admin, fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\n{}: backup\r\n"
                                  "Content-Length: 0\r\nConnection: close\r\n\r\n",
                                  kCheckpointPath, admin, rpc::kActionHeader)));
  const size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos) return NobodyAnswers(admin, "half an answer");
  std::string words = answer.substr(body + 4);
  if (answer.starts_with("HTTP/1.1 200 ")) return words;
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return absl::FailedPreconditionError(
      fmt::format("the process that serves at {} refuses: {}", admin, words));
}

absl::StatusOr<std::vector<int64_t>> ReadEnds(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  std::vector<int64_t> ends;
  if (!document.HasParseError() && document.IsObject() && document.HasMember("ends") &&
      document["ends"].IsArray()) {
    for (const auto& end : document["ends"].GetArray()) {
      if (!end.IsInt64()) return absl::InternalError("the checkpoint's ends cannot be read");
      ends.push_back(end.GetInt64());
    }
    return ends;
  }
  return absl::InternalError("the checkpoint's ends cannot be read");
}

}  // namespace simpul::cli
