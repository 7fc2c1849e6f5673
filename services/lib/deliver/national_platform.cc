#include "lib/deliver/national_platform.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/check.h"
#include "lib/deliver/answer_json.h"

namespace simpul::deliver {
namespace {

constexpr std::chrono::seconds kTokenMargin{60};
constexpr std::string_view kSearchCount = "500";

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

// A finished exchange: what came back, or why it never took place (no token).
struct Ended {
  std::optional<Verdict> failure;
  HttpAnswer answer;
};

struct Exchange {
  std::string organization;
  bool is_token = false;
  std::string path;  // below the base URL, with its query
  bool is_post = false;
  std::string body;
  absl::AnyInvocable<void(Ended)> done;

  bool refreshed = false;  // a 401 was answered with another token once
  Easy handle;
  std::unique_ptr<curl_slist, ListDeleter> headers;
  size_t body_sent = 0;
  HttpAnswer answer;
  bool too_large = false;
  size_t answer_bytes_max = 0;
  std::chrono::steady_clock::time_point started;
};

size_t TakeBody(char* bytes, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const size_t length = size * count;
  if (exchange.answer.body.size() + length > exchange.answer_bytes_max) {
    exchange.too_large = true;
    return 0;
  }
  exchange.answer.body.append(bytes, length);
  return length;
}

size_t GiveBody(char* room, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const size_t length = std::min(size * count, exchange.body.size() - exchange.body_sent);
  std::memcpy(room, exchange.body.data() + exchange.body_sent, length);
  exchange.body_sent += length;
  return length;
}

// libcurl sends a request again by itself when a kept-alive connection closes without an answer.
// The platform may have committed it: a body that cannot be rewound stops that.
int RefuseToRewind(void*, curl_off_t, int) { return CURL_SEEKFUNC_CANTSEEK; }

std::string Escaped(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(static_cast<char>(c));
    } else {
      out.push_back('%');
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    }
  }
  return out;
}

std::string Header(CURL* handle, const char* name) {
  curl_header* header = nullptr;
  if (curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return "";
  return header->value;
}

// Whether the platform can have seen the request, and a word for what happened.
void ReadTransport(CURLcode code, Exchange& exchange) {
  HttpAnswer& answer = exchange.answer;
  curl_off_t connected_us = 0;
  curl_easy_getinfo(exchange.handle.get(), CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  switch (code) {
    case CURLE_OK:
      answer.arrival = HttpAnswer::Arrival::kWhole;
      return;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_UNSUPPORTED_PROTOCOL:
      answer.arrival = HttpAnswer::Arrival::kNeverSent;
      answer.problem = code == CURLE_PEER_FAILED_VERIFICATION ? "certificate" : "unreachable";
      return;
    case CURLE_OPERATION_TIMEDOUT:
      answer.arrival =
          connected_us == 0 ? HttpAnswer::Arrival::kNeverSent : HttpAnswer::Arrival::kLost;
      answer.problem = connected_us == 0 ? "unreachable" : "timed_out";
      return;
    default:
      answer.arrival = HttpAnswer::Arrival::kLost;
      answer.problem = exchange.too_large ? "answer_too_large" : "connection_lost";
      return;
  }
}

std::optional<int64_t> NumberOf(const rapidjson::Value& object, const char* name) {
  const rapidjson::Value* value = Member(object, name);
  if (value == nullptr) return std::nullopt;
  if (value->IsInt64()) return value->GetInt64();
  if (!value->IsString()) return std::nullopt;
  char* end = nullptr;
  const int64_t number = std::strtoll(value->GetString(), &end, 10);
  if (end == value->GetString()) return std::nullopt;
  return number;
}

Verdict Lost() {
  HttpAnswer answer;
  answer.arrival = HttpAnswer::Arrival::kLost;
  answer.problem = "stopped";
  return ClassifyTransaction(answer, 0, {});
}

}  // namespace

// Everything below runs on the one thread, but for Begin.
class NationalPlatform::Exchanges {
 public:
  Exchanges(Options options, const base::Clock& clock, base::Metrics& metrics)
      : options_(std::move(options)),
        clock_(clock),
        metrics_(metrics),
        multi_(curl_multi_init()),
        thread_([this] { Run(); }) {}

  ~Exchanges() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  void Begin(std::unique_ptr<Exchange> exchange) {
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(exchange));
    }
    curl_multi_wakeup(multi_);
  }

  base::Time Now() const { return clock_.Now(); }

 private:
  struct Token {
    Credential credential;  // it was asked for with
    std::string text;
    base::Time expires;
    bool being_fetched = false;
    std::vector<std::unique_ptr<Exchange>> waiting;
  };

  void Run() {
    for (;;) {
      std::deque<std::unique_ptr<Exchange>> arrived;
      {
        const std::lock_guard lock(mutex_);
        arrived.swap(inbox_);
        if (stopping_) {
          for (auto& exchange : arrived) ready_.push_back(std::move(exchange));
          break;
        }
      }
      for (auto& exchange : arrived) WithToken(std::move(exchange));
      StartReady();
      int running = 0;
      curl_multi_perform(multi_, &running);
      TakeFinished();
      StartReady();
      // The library shortens the wait to its own time-outs.
      curl_multi_poll(multi_, nullptr, 0, 60'000, nullptr);
    }
    Abandon();
  }

  // What is under way when the program stops is lost, never silently forgotten.
  void Abandon() {
    for (auto& [handle, exchange] : active_) {
      curl_multi_remove_handle(multi_, handle);
      ready_.push_back(std::move(exchange));
    }
    active_.clear();
    for (auto& [organization, token] : tokens_) {
      for (auto& exchange : token.waiting) ready_.push_back(std::move(exchange));
      token.waiting.clear();
    }
    for (auto& exchange : ready_) {
      if (exchange->done) exchange->done(Ended{Lost(), {}});
    }
    ready_.clear();
  }

  void WithToken(std::unique_ptr<Exchange> exchange) {
    const std::shared_ptr<const Credentials> credentials = options_.credentials();
    const Credential* credential = credentials->Of(exchange->organization);
    if (credential == nullptr) {
      Verdict verdict;
      verdict.meaning = Meaning::kHeld;
      verdict.reason = "credentials_missing";
      verdict.scope = Verdict::Scope::kOrganization;
      exchange->done(Ended{verdict, {}});
      return;
    }
    Token& token = tokens_[exchange->organization];
    if (!token.text.empty() && Now() < token.expires && token.credential == *credential) {
      ready_.push_back(std::move(exchange));
      return;
    }
    const std::string organization = exchange->organization;
    token.waiting.push_back(std::move(exchange));
    if (token.being_fetched) return;
    token.being_fetched = true;
    token.credential = *credential;
    token.text.clear();
    auto fetch = std::make_unique<Exchange>();
    fetch->organization = organization;
    fetch->is_token = true;
    fetch->is_post = true;
    fetch->path = "/oauth2/v1/accesstoken?grant_type=client_credentials";
    fetch->body = fmt::format("client_id={}&client_secret={}", Escaped(credential->client_id),
                              Escaped(credential->client_secret));
    fetch->done = [this, organization](Ended ended) { TakeToken(organization, std::move(ended)); };
    ready_.push_front(std::move(fetch));
  }

  void TakeToken(const std::string& organization, Ended ended) {
    Token& token = tokens_[organization];
    token.being_fetched = false;
    std::vector<std::unique_ptr<Exchange>> waiting;
    waiting.swap(token.waiting);
    const Verdict failure = ended.failure ? *ended.failure : ReadToken(ended.answer, token);
    for (auto& exchange : waiting) {
      if (failure.meaning == Meaning::kDone) {
        ready_.push_back(std::move(exchange));
      } else {
        exchange->done(Ended{failure, {}});
      }
    }
  }

  // kDone when `token` is set from the answer.
  Verdict ReadToken(const HttpAnswer& answer, Token& token) {
    Verdict verdict = ClassifyRead(answer, Now());
    const bool answered = answer.arrival == HttpAnswer::Arrival::kWhole;
    rapidjson::Document document;
    if (answered && answer.status == 200 && ParseObject(answer.body, document) &&
        !Text(document, "access_token").empty()) {
      const int64_t lifetime_s = NumberOf(document, "expires_in").value_or(3000);
      // The answer may have been issued before it came; a clock that disagrees by more than the
      // lifetime says nothing.
      int64_t age_s = 0;
      if (const auto issued_ms = NumberOf(document, "issued_at")) {
        age_s = base::ToMicros(Now()) / 1'000'000 - *issued_ms / 1000;
        if (age_s < 0 || age_s >= lifetime_s) age_s = 0;
      }
      const int64_t margin_s = std::min<int64_t>(kTokenMargin.count(), lifetime_s / 10);
      token.text = Text(document, "access_token");
      token.expires =
          Now() + std::chrono::seconds(std::max<int64_t>(1, lifetime_s - age_s - margin_s));
      return Verdict{};
    }
    // A client error here is about who we are, whatever its number.
    if (answered && answer.status >= 400 && answer.status < 500 && answer.status != 408 &&
        answer.status != 429) {
      verdict.meaning = Meaning::kHeld;
      verdict.reason = "credentials";
    } else if (verdict.meaning == Meaning::kDone || verdict.meaning == Meaning::kRefused) {
      verdict.meaning = Meaning::kRetry;
      verdict.reason = "token_unreadable";
    }
    if (verdict.scope == Verdict::Scope::kRecord) verdict.scope = Verdict::Scope::kOrganization;
    return verdict;
  }

  void StartReady() {
    while (!ready_.empty() && active_.size() < options_.connections_max) {
      std::unique_ptr<Exchange> exchange = std::move(ready_.front());
      ready_.pop_front();
      Start(std::move(exchange));
    }
  }

  void Start(std::unique_ptr<Exchange> exchange) {
    if (idle_.empty()) {
      exchange->handle.reset(curl_easy_init());
    } else {
      exchange->handle = std::move(idle_.back());
      idle_.pop_back();
      curl_easy_reset(exchange->handle.get());
    }
    CURL* handle = exchange->handle.get();
    SIMPUL_CHECK(handle != nullptr, "libcurl has no handle to give.");
    exchange->answer = {};
    exchange->body_sent = 0;
    exchange->too_large = false;
    exchange->answer_bytes_max = options_.answer_bytes_max;
    exchange->started = std::chrono::steady_clock::now();
    const std::string url = options_.url + exchange->path;
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "simpul");
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.request_limit.count()));
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_limit.count()));
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &TakeBody);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, exchange.get());
    curl_slist* headers = nullptr;
    const auto add = [&headers](const std::string& line) {
      headers = curl_slist_append(headers, line.c_str());
    };
    add("Expect:");
    if (exchange->is_token) {
      add("Content-Type: application/x-www-form-urlencoded");
    } else {
      add("Authorization: Bearer " + tokens_[exchange->organization].text);
      add("Accept: application/json");
      if (exchange->is_post) add("Content-Type: application/json");
    }
    exchange->headers.reset(headers);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    if (exchange->is_post) {
      curl_easy_setopt(handle, CURLOPT_POST, 1L);
      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(exchange->body.size()));
      curl_easy_setopt(handle, CURLOPT_READFUNCTION, &GiveBody);
      curl_easy_setopt(handle, CURLOPT_READDATA, exchange.get());
      curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, &RefuseToRewind);
    }
    curl_multi_add_handle(multi_, handle);
    active_.emplace(handle, std::move(exchange));
  }

  void TakeFinished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* handle = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto it = active_.find(handle);
      std::unique_ptr<Exchange> exchange = std::move(it->second);
      active_.erase(it);
      ReadTransport(code, *exchange);
      long status = 0;
      curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
      exchange->answer.status = static_cast<int>(status);
      exchange->answer.retry_after = Header(handle, "retry-after");
      exchange->answer.request_id = Header(handle, "x-request-id");
      curl_multi_remove_handle(multi_, handle);
      curl_easy_setopt(handle, CURLOPT_HTTPHEADER, nullptr);
      exchange->headers.reset();
      idle_.push_back(std::move(exchange->handle));
      Count(*exchange);
      Finish(std::move(exchange));
    }
  }

  void Finish(std::unique_ptr<Exchange> exchange) {
    const bool unauthorized = !exchange->is_token && exchange->answer.status == 401 &&
                              exchange->answer.arrival == HttpAnswer::Arrival::kWhole;
    if (unauthorized && !exchange->refreshed) {
      exchange->refreshed = true;
      tokens_[exchange->organization].text.clear();
      WithToken(std::move(exchange));
      return;
    }
    exchange->done(Ended{std::nullopt, std::move(exchange->answer)});
  }

  void Count(const Exchange& exchange) {
    const std::string call = exchange.is_token  ? "token"
                             : exchange.is_post ? "transaction"
                                                : "read";
    const std::string result = exchange.answer.arrival == HttpAnswer::Arrival::kWhole
                                   ? fmt::format("{}xx", exchange.answer.status / 100)
                                   : "no_answer";
    metrics_
        .Counter("simpul_platform_requests_total", "Requests to the platform.",
                 {{"call", call}, {"result", result}})
        .Increment();
    metrics_
        .Seconds("simpul_platform_request_seconds", "Time of a request to the platform.",
                 {{"call", call}})
        .Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - exchange.started)
                     .count());
  }

  const Options options_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
  CURLM* multi_;
  std::map<std::string, Token> tokens_;
  std::deque<std::unique_ptr<Exchange>> ready_;
  std::map<CURL*, std::unique_ptr<Exchange>> active_;
  std::vector<Easy> idle_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Exchange>> inbox_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses everything above
};

absl::StatusOr<std::unique_ptr<NationalPlatform>> NationalPlatform::Open(Options options,
                                                                         const base::Clock& clock,
                                                                         base::Metrics& metrics) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return absl::InternalError("libcurl does not start");
  if (!options.url.starts_with("http://") && !options.url.starts_with("https://")) {
    return absl::InvalidArgumentError(
        "the platform's URL must begin with http:// or https://, such as http://127.0.0.1:7490");
  }
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!options.credentials) {
    options.credentials = [none = std::make_shared<const Credentials>()] { return none; };
  }
  auto platform = std::unique_ptr<NationalPlatform>(new NationalPlatform());
  platform->exchanges_ = std::make_unique<Exchanges>(std::move(options), clock, metrics);
  return platform;
}

NationalPlatform::~NationalPlatform() = default;

void NationalPlatform::Send(const std::string& organization, std::string bundle, size_t entries,
                            absl::AnyInvocable<void(Verdict)> done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->organization = organization;
  exchange->path = "/fhir-r4/v1";
  exchange->is_post = true;
  exchange->body = std::move(bundle);
  exchange->done = [this, entries, done = std::move(done)](Ended ended) mutable {
    done(ended.failure ? *std::move(ended.failure)
                       : ClassifyTransaction(ended.answer, entries, exchanges_->Now()));
  };
  exchanges_->Begin(std::move(exchange));
}

void NationalPlatform::Search(const std::string& organization, const std::string& resource_type,
                              const std::string& system, const std::string& value,
                              absl::AnyInvocable<void(SearchAnswer)> done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->organization = organization;
  exchange->path =
      fmt::format("/fhir-r4/v1/{}?identifier={}", resource_type, Escaped(system + "|" + value));
  exchange->done = [this, resource_type, done = std::move(done)](Ended ended) mutable {
    SearchAnswer answer;
    answer.verdict =
        ended.failure ? *std::move(ended.failure) : ClassifyRead(ended.answer, exchanges_->Now());
    if (answer.verdict.meaning == Meaning::kDone) {
      if (WasApplied(ended.answer.body, "identifier")) {
        answer.found = ReadFound(ended.answer.body, resource_type);
      } else {
        answer.verdict.meaning = Meaning::kHeld;
        answer.verdict.reason = "search_not_applied";
      }
    }
    done(std::move(answer));
  };
  exchanges_->Begin(std::move(exchange));
}

void NationalPlatform::SearchImmunizations(const std::string& organization,
                                           const std::string& patient_id,
                                           absl::AnyInvocable<void(SearchAnswer)> done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->organization = organization;
  exchange->path = fmt::format("/fhir-r4/v1/Immunization?patient={}&_count={}", Escaped(patient_id),
                               kSearchCount);
  exchange->done = [this, done = std::move(done)](Ended ended) mutable {
    SearchAnswer answer;
    answer.verdict =
        ended.failure ? *std::move(ended.failure) : ClassifyRead(ended.answer, exchanges_->Now());
    if (answer.verdict.meaning == Meaning::kDone) {
      if (!WasApplied(ended.answer.body, "patient")) {
        answer.verdict.meaning = Meaning::kHeld;
        answer.verdict.reason = "search_not_applied";
      } else if (HasNextPage(ended.answer.body)) {
        // What is on the other pages might be ours: nothing is sent on half an answer.
        answer.verdict.meaning = Meaning::kHeld;
        answer.verdict.reason = "search_incomplete";
      } else {
        answer.found = ReadFound(ended.answer.body, "Immunization");
      }
    }
    done(std::move(answer));
  };
  exchanges_->Begin(std::move(exchange));
}

void NationalPlatform::FindPatient(const std::string& organization, const PatientQuery& query,
                                   absl::AnyInvocable<void(PatientAnswer)> done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->organization = organization;
  constexpr std::string_view kPatient = "/fhir-r4/v1/Patient?";
  switch (query.way) {
    case PatientQuery::Way::kNik:
      exchange->path = fmt::format("{}identifier={}", kPatient,
                                   Escaped("https://fhir.kemkes.go.id/id/nik|" + query.nik));
      break;
    case PatientQuery::Way::kMother:
    case PatientQuery::Way::kMotherAndName:
      // There is no parameter for the order of birth: Choose looks for it in the answer.
      exchange->path = fmt::format("{}identifier={}&birthdate={}", kPatient,
                                   Escaped("https://fhir.kemkes.go.id/id/nik-ibu|" + query.nik),
                                   Escaped(query.birth_date));
      if (query.way == PatientQuery::Way::kMotherAndName) {
        exchange->path += "&name=" + Escaped(query.name);
      }
      break;
    case PatientQuery::Way::kPerson:
      exchange->path = fmt::format("{}name={}&birthdate={}&gender={}", kPatient,
                                   Escaped(query.name), Escaped(query.birth_date),
                                   query.sex == event::v1::SEX_MALE ? "male" : "female");
      break;
  }
  exchange->done = [this, query, done = std::move(done)](Ended ended) mutable {
    PatientAnswer answer;
    answer.verdict =
        ended.failure ? *std::move(ended.failure) : ClassifyRead(ended.answer, exchanges_->Now());
    if (answer.verdict.meaning == Meaning::kDone) {
      const bool by_person = query.way == PatientQuery::Way::kPerson;
      if (!WasApplied(ended.answer.body, by_person ? "name" : "identifier")) {
        answer.verdict.meaning = Meaning::kHeld;
        answer.verdict.reason = "search_not_applied";
      } else if (query.way == PatientQuery::Way::kMotherAndName &&
                 !WasApplied(ended.answer.body, "name", false)) {
        // An answer for any name tells no more than the one before it.
        answer.choice.kind = PatientChoice::Kind::kAmbiguous;
      } else {
        answer.choice = Choose(query, ReadPatients(ended.answer.body));
      }
    }
    done(std::move(answer));
  };
  exchanges_->Begin(std::move(exchange));
}

}  // namespace simpul::deliver
