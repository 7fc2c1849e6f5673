#include "lib/rpc/http_server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/status_macros.h"
#include "lib/base/thread_name.h"
#include "lib/rpc/address.h"

namespace simpul::rpc {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

// What is left of a request we will not read is thrown away up to here, so that the caller gets the
// answer rather than a reset.
constexpr size_t kDiscardMax = 16 << 20;
constexpr std::chrono::seconds kDiscardWithin{2};
// After accept fails (no file descriptors) there is no use in trying at once.
constexpr std::chrono::milliseconds kAcceptPause{50};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Percent-decoding; nullopt for a broken escape or a NUL.
std::optional<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// False when the target cannot be read.
bool ReadTarget(std::string_view target, HttpRequest& request) {
  if (const size_t scheme = target.find("://");
      scheme != std::string_view::npos && !target.starts_with('/')) {
    const size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  const size_t mark = target.find('?');
  std::optional<std::string> path = Decode(target.substr(0, mark), false);
  if (!path.has_value()) return false;
  request.path = *std::move(path);
  if (mark == std::string_view::npos) return true;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::optional<std::string> name = Decode(pair.substr(0, equals), true);
    std::optional<std::string> value =
        equals == std::string_view::npos ? std::string() : Decode(pair.substr(equals + 1), true);
    if (!name.has_value() || !value.has_value()) return false;
    request.query.emplace(*std::move(name), *std::move(value));
  }
  return true;
}

HttpResponse Problem(int status, std::string_view words) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = fmt::format("{}\n", words);
  return response;
}

// What the connections of a server share.
struct Shared {
  HttpServer::Options options;
  HttpServer::Handler handler;
  std::atomic<size_t> connections{0};
};

// One connection. Every step begins the next one; the pending step keeps the object alive. All
// steps run on the stream's strand.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared)
      : stream_(std::move(socket)), timer_(stream_.get_executor()), shared_(shared) {
    shared_.connections.fetch_add(1);
  }
  ~Connection() { shared_.connections.fetch_sub(1); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->ReadHead(); });
  }

  // Says that there are too many connections, and closes.
  void Refuse() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
      self->keep_alive_ = false;
      HttpResponse response = Problem(503, "Too many connections. Try again in a second.");
      response.headers["Retry-After"] = "1";
      self->Answer(std::move(response));
    });
  }

 private:
  void ReadHead() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_.options.head_max));
    parser_->body_limit(shared_.options.body_max);
    stream_.expires_after(shared_.options.idle_max);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->AfterHead(error); });
  }

  void AfterHead(beast::error_code error) {
    if (error) return AfterFailedRead(error);
    if (parser_->is_done()) return Handle();
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      head_ = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(stream_, asio::buffer(head_),
                        [self = shared_from_this()](beast::error_code failed, size_t) {
                          if (!failed) self->ReadBody();
                        });
      return;
    }
    ReadBody();
  }

  void ReadBody() {
    stream_.expires_after(shared_.options.idle_max);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, size_t) {
                       if (error) return self->AfterFailedRead(error);
                       self->Handle();
                     });
  }

  void AfterFailedRead(beast::error_code error) {
    keep_alive_ = false;
    if (error == http::error::body_limit) {
      Answer(
          Problem(413, fmt::format("The body is larger than {} bytes.", shared_.options.body_max)));
    } else if (error == http::error::header_limit) {
      Answer(Problem(431, fmt::format("The request line and headers are larger than {} bytes.",
                                      shared_.options.head_max)));
    } else if (error == http::error::end_of_stream || error == http::error::partial_message) {
      Close();
    } else if (error.category() == http::make_error_code(http::error::bad_method).category()) {
      Answer(Problem(400, fmt::format("This is no HTTP request: {}.", error.message())));
    }
    // Anything else: the caller has gone or was silent for too long. Nobody is there to be told.
  }

  void Handle() {
    const http::request<http::string_body>& message = parser_->get();
    keep_alive_ = message.keep_alive();
    is_http_1_0_ = message.version() < 11;
    is_head_ = message.method() == http::verb::head;
    HttpRequest request;
    request.method = View(message.method_string());
    if (!ReadTarget(View(message.target()), request)) {
      return Answer(Problem(400, "The path or query holds a broken percent escape."));
    }
    for (const auto& field : message) {
      auto [place, is_new] =
          request.headers.emplace(LowerCase(View(field.name_string())), View(field.value()));
      if (!is_new) place->second.append(", ").append(View(field.value()));
    }
    request.body = std::move(parser_->get().body());
    HttpResponse response = shared_.handler(request);
    if (response.delay_ms <= 0) return Answer(std::move(response));
    response_ = std::move(response);
    stream_.expires_never();
    timer_.expires_after(std::chrono::milliseconds(response_.delay_ms));
    timer_.async_wait([self = shared_from_this()](beast::error_code error) {
      if (!error) self->Answer(std::move(self->response_));
    });
  }

  void Answer(HttpResponse response) {
    response_ = std::move(response);
    if (response_.drop_connection) return Drop();
    const bool has_no_body = response_.status == 204 || response_.status == 304;
    head_.clear();
    fmt::format_to(std::back_inserter(head_),
                   "HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", response_.status,
                   View(http::obsolete_reason(static_cast<http::status>(response_.status))),
                   fmt::gmtime(std::time(nullptr)));
    if (!has_no_body) {
      fmt::format_to(std::back_inserter(head_), "Content-Type: {}\r\nContent-Length: {}\r\n",
                     response_.content_type, response_.body.size());
    }
    for (const auto& [name, value] : response_.headers) {
      fmt::format_to(std::back_inserter(head_), "{}: {}\r\n", name, value);
    }
    size_t body_size = has_no_body || is_head_ ? 0 : response_.body.size();
    if (response_.truncate_body_at >= 0) {
      keep_alive_ = false;
      body_size = std::min(body_size, static_cast<size_t>(response_.truncate_body_at));
    }
    if (!keep_alive_) {
      head_ += "Connection: close\r\n";
    } else if (is_http_1_0_) {
      head_ += "Connection: keep-alive\r\n";
    }
    head_ += "\r\n";
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head_),
                                                       asio::buffer(response_.body, body_size)};
    stream_.expires_after(shared_.options.idle_max);
    asio::async_write(stream_, buffers,
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        if (error) return;
                        if (self->keep_alive_) return self->ReadHead();
                        self->Close();
                      });
  }

  // Tells the other side that nothing more comes, then reads what it still sends for a while.
  void Close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kDiscardWithin);
    Discard();
  }

  void Discard() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(16 << 10),
                            [self = shared_from_this()](beast::error_code error, size_t bytes) {
                              self->discarded_ += bytes;
                              if (!error && self->discarded_ < kDiscardMax) self->Discard();
                            });
  }

  // Closes without a word.
  void Drop() {
    beast::error_code ignored;
    stream_.socket().close(ignored);
  }

  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  Shared& shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string head_;
  HttpResponse response_;
  bool keep_alive_ = false;
  bool is_http_1_0_ = false;
  bool is_head_ = false;
  size_t discarded_ = 0;
};

class BeastServer : public HttpServer {
 public:
  BeastServer(Options options, Handler handler)
      : io_(options.threads), acceptor_(io_), accept_pause_(io_) {
    shared_.options = options;
    shared_.handler = std::move(handler);
  }

  ~BeastServer() override {
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Listen(const std::string& text) {
    SIMPUL_ASSIGN_OR_RETURN(Address address, ParseAddress(text));
    beast::error_code error;
    tcp::resolver resolver(io_);
    const auto found =
        resolver.resolve(address.host, std::to_string(address.port),
                         tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error || found.empty()) {
      return absl::UnavailableError(
          fmt::format("{} cannot be found: {}.", address.host, error.message()));
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return CannotListen(address, error.value());
    address.port = acceptor_.local_endpoint(error).port();
    address_ = address.text();
    Accept();
    for (int i = 0; i < shared_.options.threads; ++i) {
      threads_.emplace_back([this] {
        base::NameThread("http");
        io_.run();
      });
    }
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }

 private:
  void Accept() {
    acceptor_.async_accept(asio::make_strand(io_),
                           [this](beast::error_code error, tcp::socket socket) {
                             AfterAccept(error, std::move(socket));
                           });
  }

  void AfterAccept(beast::error_code error, tcp::socket socket) {
    if (error) {
      accept_pause_.expires_after(kAcceptPause);
      accept_pause_.async_wait([this](beast::error_code) { Accept(); });
      return;
    }
    beast::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const bool has_room = shared_.connections.load() < shared_.options.connections_max;
    // As many again may be told that there is no room; beyond that a connection is just closed.
    if (has_room) {
      std::make_shared<Connection>(std::move(socket), shared_)->Start();
    } else if (shared_.connections.load() < 2 * shared_.options.connections_max) {
      std::make_shared<Connection>(std::move(socket), shared_)->Refuse();
    }
    Accept();
  }

  Shared shared_;  // before io_, whose pending steps hold connections that use it
  asio::io_context io_;
  tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  std::string address_;
  std::vector<std::thread> threads_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                              Options options, Handler handler) {
  auto server = std::make_unique<BeastServer>(options, std::move(handler));
  SIMPUL_RETURN_IF_ERROR(server->Listen(address));
  return server;
}

}  // namespace simpul::rpc
