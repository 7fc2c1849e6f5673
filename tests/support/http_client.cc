#include "tests/support/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cctype>
#include <mutex>

#include "lib/base/check.h"

namespace simpul::testing {
namespace {

size_t OnBody(char* bytes, size_t size, size_t count, void* reply) {
  static_cast<HttpReply*>(reply)->body.append(bytes, size * count);
  return size * count;
}

size_t OnHeader(char* bytes, size_t size, size_t count, void* reply) {
  std::string_view line(bytes, size * count);
  const size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with('\r') || value.ends_with('\n')) value.remove_suffix(1);
    static_cast<HttpReply*>(reply)->headers[name] = value;
  }
  return size * count;
}

}  // namespace

HttpClient::HttpClient(std::string_view address)
    : base_(address.starts_with("http") ? std::string(address)
                                        : fmt::format("http://{}", address)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_ALL); });
  curl_ = curl_easy_init();
  SIMPUL_CHECK(curl_ != nullptr, "libcurl cannot begin.");
}

HttpClient::~HttpClient() { curl_easy_cleanup(curl_); }

void HttpClient::SetHeader(std::string_view name, std::string_view value) {
  if (value.empty()) {
    headers_.erase(std::string(name));
  } else {
    headers_[std::string(name)] = value;
  }
}

HttpReply HttpClient::Send(std::string_view method, std::string_view target, std::string_view body,
                           std::string_view content_type) {
  HttpReply reply;
  const std::string url = base_ + std::string(target);
  const std::string verb(method);
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  if (!body.empty()) {
    headers = curl_slist_append(headers, fmt::format("Content-Type: {}", content_type).c_str());
  }
  for (const auto& [name, value] : headers_) {
    headers = curl_slist_append(headers, fmt::format("{}: {}", name, value).c_str());
  }
  curl_easy_reset(curl_);
  curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, verb.c_str());
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &reply);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT, 60L);
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    // On a connection used before, libcurl sends a request again by itself when the other side
    // closes it without a word. A test must see that the answer was lost.
    curl_easy_setopt(curl_, CURLOPT_FRESH_CONNECT, 1L);
  }
  const CURLcode done = curl_easy_perform(curl_);
  curl_slist_free_all(headers);
  if (done != CURLE_OK) {
    reply.error = curl_easy_strerror(done);
    return reply;
  }
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

std::string UrlEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (byte < 128 && std::isalnum(byte) != 0) || c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace simpul::testing
