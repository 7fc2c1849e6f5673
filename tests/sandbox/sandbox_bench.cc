// How many transaction Bundles a second the sandbox takes, and what CPU each costs it.
//
//   sandbox_bench [BUNDLES [CONNECTIONS]]
//
// The sandbox runs in a process of its own, so that its CPU is counted apart from the senders'.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "lib/base/check.h"
#include "sandbox/json.h"
#include "sandbox/sandbox.h"
#include "tests/sandbox/samples.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_folder.h"

namespace simpul::sandbox::testing {
namespace {

using Clock = std::chrono::steady_clock;

// Sends requests that were written before, one after another, and reads their answers.
class Sender {
 public:
  explicit Sender(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SIMPUL_CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "no sandbox");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Sender() { ::close(fd_); }

  void Exchange(std::string_view request) {
    while (!request.empty()) {
      const ssize_t n = ::write(fd_, request.data(), request.size());
      SIMPUL_CHECK(n > 0, "the connection broke");
      request.remove_prefix(static_cast<size_t>(n));
    }
    std::string answer;
    size_t whole = std::string::npos;
    while (answer.size() < whole) {
      char buffer[16384];
      const ssize_t n = ::read(fd_, buffer, sizeof buffer);
      SIMPUL_CHECK(n > 0, "the connection broke");
      answer.append(buffer, static_cast<size_t>(n));
      const size_t head = answer.find("\r\n\r\n");
      if (whole == std::string::npos && head != std::string::npos) {
        const size_t length = answer.find("Content-Length: ");
        whole = head + 4 + std::strtoul(answer.c_str() + length + 16, nullptr, 10);
      }
    }
    SIMPUL_CHECK(answer.starts_with("HTTP/1.1 200"), "refused: {}", answer);
  }

 private:
  int fd_;
};

double CpuSecondsOf(simpul::testing::HttpClient& client) {
  const std::string report = client.Get("/sandbox/v1/report").body;
  JsonText json(report);
  return Member(*json.root(), "cpu_seconds")->GetDouble();
}

int Main(int bundles, int connections) {
  simpul::testing::TempFolder folder;
  int port_pipe[2];
  SIMPUL_CHECK(::pipe(port_pipe) == 0, "no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    Sandbox::Options options;
    options.data = folder / "data";
    auto sandbox = Sandbox::Start(options);
    SIMPUL_CHECK(sandbox.ok(), "{}", sandbox.status().ToString());
    const std::string& address = (*sandbox)->address();
    const int port = std::atoi(address.c_str() + address.rfind(':') + 1);
    SIMPUL_CHECK(::write(port_pipe[1], &port, sizeof port) == sizeof port, "no pipe");
    ::pause();
    ::_exit(0);
  }
  int port = 0;
  SIMPUL_CHECK(::read(port_pipe[0], &port, sizeof port) == sizeof port, "no sandbox");

  simpul::testing::HttpClient client(fmt::format("127.0.0.1:{}", port));
  const auto token = client.Post("/oauth2/v1/accesstoken?grant_type=client_credentials",
                                 fmt::format("client_id={}&client_secret=s", kOrganization),
                                 "application/x-www-form-urlencoded");
  JsonText token_json(token.body);
  const std::string bearer(MemberText(*token_json.root(), "access_token"));

  std::vector<std::vector<std::string>> requests(static_cast<size_t>(connections));
  size_t bytes = 0;
  for (int i = 0; i < bundles; ++i) {
    const std::string body = VisitTransaction(i, 8, fmt::format("Patient/P{:011}", i / 10));
    bytes += body.size();
    requests[static_cast<size_t>(i % connections)].push_back(
        fmt::format("POST /fhir-r4/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n"
                    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                    bearer, body.size(), body));
  }
  const double cpu_before = CpuSecondsOf(client);
  const auto began = Clock::now();
  std::vector<std::thread> threads;
  for (const auto& mine : requests) {
    threads.emplace_back([&mine, port] {
      Sender sender(port);
      for (const std::string& request : mine) sender.Exchange(request);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - began;
  const double cpu = CpuSecondsOf(client) - cpu_before;
  fmt::print(
      "{} bundles of 10 resources ({} bytes each), {} connections: {:.0f}/s, sandbox CPU "
      "{:.0f} us each\n",
      bundles, bytes / static_cast<size_t>(bundles), connections, bundles / took.count(),
      cpu * 1e6 / bundles);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace simpul::sandbox::testing

int main(int argc, char** argv) {
  return simpul::sandbox::testing::Main(argc > 1 ? std::atoi(argv[1]) : 20'000,
                                        argc > 2 ? std::atoi(argv[2]) : 16);
}
