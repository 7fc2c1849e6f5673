// A small HTTP/1.1 server for the admin port and the sandbox. Boost.Beast stays behind it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace simpul::rpc {

struct HttpRequest {
  std::string method;                             // GET, POST, PUT, ...
  std::string path;                               // decoded, without query: /fhir-r4/v1/Patient
  std::multimap<std::string, std::string> query;  // decoded
  std::map<std::string, std::string> headers;     // names in lower case
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;
  // Faults for the sandbox: wait before answering; close without an answer; close after so many
  // bytes of the body.
  int delay_ms = 0;
  bool drop_connection = false;
  long truncate_body_at = -1;
};

class HttpServer {
 public:
  struct Options {
    int threads = 2;
    size_t head_max = 32 << 10;    // request line and headers, in bytes; beyond: 431
    size_t body_max = 4 << 20;     // beyond: 413
    size_t connections_max = 256;  // beyond: 503, and closed
    // A connection is closed when a whole request has not come, or an answer has not gone, within
    // this.
    std::chrono::milliseconds idle_max{30'000};
  };
  // Called on the server's threads, possibly at once from several; the connections of a thread wait
  // for it.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Listens on HOST:PORT (port 0: any). Unavailable: the port is in use, or the host is none of
  // this machine's. InvalidArgument: no HOST:PORT.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                           Options options, Handler handler);
  // Stops accepting, drops what is open, joins its threads.
  virtual ~HttpServer() = default;

  // HOST:PORT with the port that was chosen.
  virtual const std::string& address() const = 0;
};

}  // namespace simpul::rpc
