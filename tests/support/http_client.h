// HTTP as a client outside would speak it, for tests: one request at a time, over libcurl.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace simpul::testing {

struct HttpReply {
  int status = 0;                              // 0: no whole answer came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // as far as it came
  std::string error;                           // why no whole answer came
};

// Never sends a request twice: what has a body goes on a connection of its own. Not for several
// threads: each has its own client.
class HttpClient {
 public:
  // HOST:PORT or a URL without a slash at its end.
  explicit HttpClient(std::string_view address);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sent with every request from now on; an empty value takes it away.
  void SetHeader(std::string_view name, std::string_view value);

  // `target`: path and query, already escaped.
  HttpReply Send(std::string_view method, std::string_view target, std::string_view body = {},
                 std::string_view content_type = "application/json");
  HttpReply Get(std::string_view target) { return Send("GET", target); }
  HttpReply Post(std::string_view target, std::string_view body,
                 std::string_view content_type = "application/json") {
    return Send("POST", target, body, content_type);
  }
  HttpReply Delete(std::string_view target) { return Send("DELETE", target); }

 private:
  std::string base_;
  std::map<std::string, std::string> headers_;
  void* curl_;
};

// Percent-encoded for a query.
std::string UrlEscaped(std::string_view text);

}  // namespace simpul::testing
