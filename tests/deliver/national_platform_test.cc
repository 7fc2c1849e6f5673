#include "lib/deliver/national_platform.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <future>
#include <mutex>

#include "lib/base/status_macros.h"
#include "lib/rpc/http_server.h"

namespace simpul::deliver {
namespace {

constexpr std::string_view kDone =
    R"({"resourceType":"Bundle","entry":[{"response":{"status":"201","resourceType":"Encounter","resourceID":"e1"}}]})";

// A platform that answers transactions with what the test laid out, in order, then with kDone.
class NationalPlatformTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = rpc::HttpServer::Start(
        "127.0.0.1:0", {}, [this](const rpc::HttpRequest& request) { return Answer(request); });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    Open("http://" + server_->address());
  }

  void Open(const std::string& url) {
    NationalPlatform::Options options;
    options.url = url;
    options.credentials = [this] {
      const std::lock_guard lock(mutex_);
      return credentials_;
    };
    options.request_limit = std::chrono::milliseconds(1500);
    platform_ = *NationalPlatform::Open(std::move(options), base::SystemClock(), metrics_);
  }

  rpc::HttpResponse Answer(const rpc::HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    rpc::HttpResponse response;
    if (request.path == "/oauth2/v1/accesstoken") {
      if (request.body.find("client_id=bad") != std::string::npos) {
        response.status = 401;
        response.body =
            R"({"resourceType":"OperationOutcome","issue":[{"severity":"invalid","code":"value",
          "details":{"text":"The user or system was not able to be authenticated"}}]})";
        return response;
      }
      ++tokens_;
      // Both ways in which it is written.
      const std::string_view lifetime = tokens_ % 2 == 1 ? "\"3599\"" : "3599";
      response.body = fmt::format(R"({{"access_token":"t{}","expires_in":{},"issued_at":"1"}})",
                                  tokens_, lifetime);
      return response;
    }
    if (!answers_.empty()) {
      response = answers_.front();
      answers_.pop_front();
      return response;
    }
    response.body = kDone;
    return response;
  }

  Verdict Send(const std::string& organization = "100") {
    std::promise<Verdict> promise;
    platform_->Send(organization, R"({"resourceType":"Bundle"})", 1,
                    [&promise](Verdict verdict) { promise.set_value(std::move(verdict)); });
    return promise.get_future().get();
  }

  size_t Requests(std::string_view path) {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(),
                                             [&](const auto& r) { return r.path == path; }));
  }

  static rpc::HttpResponse Status(int status, std::string body = "") {
    rpc::HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }

  std::mutex mutex_;
  std::shared_ptr<const Credentials> credentials_ =
      std::make_shared<const Credentials>(*Credentials::Parse(
          R"([{"organization":"100","client_id":"id&1","client_secret":"s=1"},
              {"organization":"200","client_id":"bad","client_secret":"x"}])"));
  std::deque<rpc::HttpResponse> answers_;
  std::vector<rpc::HttpRequest> requests_;
  int tokens_ = 0;
  base::Metrics metrics_;
  std::unique_ptr<rpc::HttpServer> server_;
  std::unique_ptr<NationalPlatform> platform_;
};

TEST_F(NationalPlatformTest, SendsWithOneTokenForTheOrganisation) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send().meaning, Meaning::kDone);
  EXPECT_EQ(Requests("/oauth2/v1/accesstoken"), 1u);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(requests_[0].body, "client_id=id%261&client_secret=s%3D1");
  EXPECT_EQ(requests_[0].query.find("grant_type")->second, "client_credentials");
  EXPECT_EQ(requests_[1].path, "/fhir-r4/v1");
  EXPECT_EQ(requests_[1].headers["authorization"], "Bearer t1");
  EXPECT_EQ(requests_[1].body, R"({"resourceType":"Bundle"})");
}

TEST_F(NationalPlatformTest, NeverSendsARequestAgainWhoseAnswerWasLostOnAKeptConnection) {
  ASSERT_EQ(Send().meaning, Meaning::kDone);
  rpc::HttpResponse lost;
  lost.drop_connection = true;
  answers_.push_back(lost);
  const Verdict verdict = Send();
  EXPECT_EQ(verdict.meaning, Meaning::kUnknown);
  EXPECT_EQ(verdict.reason, "connection_lost");
  EXPECT_EQ(Requests("/fhir-r4/v1"), 2u);
}

TEST_F(NationalPlatformTest, TakesHalfAnAnswerAsUnknown) {
  rpc::HttpResponse half = Status(200, std::string(kDone));
  half.truncate_body_at = 20;
  answers_.push_back(half);
  EXPECT_EQ(Send().meaning, Meaning::kUnknown);
}

TEST_F(NationalPlatformTest, TakesATimeOutAsUnknown) {
  rpc::HttpResponse late = Status(200, std::string(kDone));
  late.delay_ms = 20'000;
  answers_.push_back(late);
  const Verdict verdict = Send();
  EXPECT_EQ(verdict.meaning, Meaning::kUnknown);
  EXPECT_EQ(verdict.reason, "timed_out");
}

TEST_F(NationalPlatformTest, GetsAnotherTokenOnceAfter401ThenGivesUpOnTheCredentials) {
  answers_.push_back(Status(401));
  EXPECT_EQ(Send().meaning, Meaning::kDone);
  EXPECT_EQ(Requests("/oauth2/v1/accesstoken"), 2u);
  answers_.push_back(Status(401));
  answers_.push_back(Status(401));
  const Verdict verdict = Send();
  EXPECT_EQ(verdict.meaning, Meaning::kHeld);
  EXPECT_EQ(verdict.reason, "credentials");
  EXPECT_EQ(Requests("/fhir-r4/v1"), 4u);
}

TEST_F(NationalPlatformTest, HoldsWhatHasNoCredentialsOrWrongOnes) {
  EXPECT_EQ(Send("300").reason, "credentials_missing");
  const Verdict wrong = Send("200");
  EXPECT_EQ(wrong.meaning, Meaning::kHeld);
  EXPECT_EQ(wrong.reason, "credentials");
  EXPECT_EQ(wrong.scope, Verdict::Scope::kOrganization);
  EXPECT_EQ(Requests("/fhir-r4/v1"), 0u);
}

TEST_F(NationalPlatformTest, TakesAnotherTokenOnceTheCredentialsHaveChanged) {
  ASSERT_EQ(Send().meaning, Meaning::kDone);
  ASSERT_EQ(Send("200").reason, "credentials");
  {
    const std::lock_guard lock(mutex_);
    credentials_ = std::make_shared<const Credentials>(*Credentials::Parse(
        R"([{"organization":"100","client_id":"id&2","client_secret":"s=1"},
            {"organization":"200","client_id":"good","client_secret":"x"}])"));
  }
  EXPECT_EQ(Send("200").meaning, Meaning::kDone);
  EXPECT_EQ(Send().meaning, Meaning::kDone);
  EXPECT_EQ(Requests("/oauth2/v1/accesstoken"), 4u);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(requests_[requests_.size() - 2].body, "client_id=id%262&client_secret=s%3D1");
  EXPECT_EQ(requests_.back().headers["authorization"], "Bearer t3");
}

TEST_F(NationalPlatformTest, UsesNoTokenOfACredentialThatIsGone) {
  ASSERT_EQ(Send().meaning, Meaning::kDone);
  {
    const std::lock_guard lock(mutex_);
    credentials_ = std::make_shared<const Credentials>(
        *Credentials::Parse(R"([{"organization":"100","client_id":"bad","client_secret":"s=1"}])"));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send().reason, "credentials");
  EXPECT_EQ(Requests("/fhir-r4/v1"), 1u);
}

TEST_F(NationalPlatformTest, DoesNotFollowRedirects) {
  rpc::HttpResponse redirect = Status(307);
  redirect.headers["Location"] = "http://" + server_->address() + "/elsewhere";
  answers_.push_back(redirect);
  EXPECT_EQ(Send().meaning, Meaning::kHeld);
  EXPECT_EQ(Requests("/elsewhere"), 0u);
}

TEST_F(NationalPlatformTest, KnowsThatNothingWasSentWhereNobodyListens) {
  const std::string address = server_->address();
  server_.reset();
  Open("http://" + address);
  const Verdict verdict = Send();
  EXPECT_EQ(verdict.meaning, Meaning::kRetry);
  EXPECT_EQ(verdict.reason, "unreachable");
}

TEST_F(NationalPlatformTest, AsksForPatientsWithTheWholeIdentifierEscaped) {
  answers_.push_back(Status(
      200,
      R"({"resourceType":"Bundle","total":1,"entry":[{"resource":{"resourceType":"Patient","id":"P1"}}]})"));
  std::promise<PatientAnswer> promise;
  platform_->FindPatient(
      "100", PatientQuery{PatientQuery::Way::kNik, "7324021505200001"},
      [&promise](PatientAnswer answer) { promise.set_value(std::move(answer)); });
  EXPECT_EQ(promise.get_future().get().choice.id, "P1");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(requests_.back().query.find("identifier")->second,
            "https://fhir.kemkes.go.id/id/nik|7324021505200001");
}

TEST_F(NationalPlatformTest, AsksForANewbornByTheMotherAndTheBirthDate) {
  answers_.push_back(Status(
      200,
      R"({"resourceType":"Bundle","total":1,"entry":[{"resource":{"resourceType":"Patient","id":"P1","birthDate":"2026-02-20"}}]})"));
  std::promise<PatientAnswer> promise;
  platform_->FindPatient(
      "100", PatientQuery{PatientQuery::Way::kMother, "7324025708960002", "2026-02-20", 1},
      [&promise](PatientAnswer answer) { promise.set_value(std::move(answer)); });
  EXPECT_EQ(promise.get_future().get().choice.id, "P1");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(requests_.back().query.find("identifier")->second,
            "https://fhir.kemkes.go.id/id/nik-ibu|7324025708960002");
  ASSERT_NE(requests_.back().query.find("birthdate"), requests_.back().query.end());
  EXPECT_EQ(requests_.back().query.find("birthdate")->second, "2026-02-20");
}

TEST_F(NationalPlatformTest, FindsATwinByNameOnlyWhereTheNameWasApplied) {
  const auto find = [this](std::string_view parameters) {
    answers_.push_back(Status(
        200, fmt::format(R"({{"resourceType":"Bundle","link":[{{"relation":"self","url":"x?{}"}}],
                "entry":[{{"resource":{{"resourceType":"Patient","id":"P1","birthDate":"2026-02-20"}}}}]}})",
                         parameters)));
    std::promise<PatientAnswer> promise;
    PatientQuery query{PatientQuery::Way::kMotherAndName, "7324025708960002", "2026-02-20", 2,
                       "Siti & Ani"};
    platform_->FindPatient(
        "100", query, [&promise](PatientAnswer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get().choice;
  };
  EXPECT_EQ(find("identifier=a&birthdate=b&name=c").id, "P1");
  EXPECT_EQ(find("identifier=a&birthdate=b").kind, PatientChoice::Kind::kAmbiguous);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(requests_.back().query.find("name")->second, "Siti & Ani");
  EXPECT_EQ(requests_.back().query.find("birthdate")->second, "2026-02-20");
}

TEST_F(NationalPlatformTest, TrustsNoSearchWhoseParameterWasDropped) {
  answers_.push_back(Status(
      200,
      R"({"resourceType":"Bundle","link":[{"relation":"self","url":"http://x/Observation?_count=10"}],
        "entry":[{"resource":{"resourceType":"Observation","id":"o9","subject":{"reference":"Patient/P9"}}}]})"));
  std::promise<SearchAnswer> promise;
  platform_->Search("100", "Observation", "sys", "value",
                    [&promise](SearchAnswer answer) { promise.set_value(std::move(answer)); });
  const SearchAnswer answer = promise.get_future().get();
  EXPECT_EQ(answer.verdict.reason, "search_not_applied");
  EXPECT_TRUE(answer.found.empty());
}

TEST_F(NationalPlatformTest, AnswersEverythingUnderWayWhenItEnds) {
  rpc::HttpResponse late = Status(200, std::string(kDone));
  late.delay_ms = 20'000;
  for (int i = 0; i < 3; ++i) answers_.push_back(late);
  std::atomic<int> answered = 0;
  for (int i = 0; i < 3; ++i) {
    platform_->Send("100", "{}", 1, [&answered](const Verdict& verdict) {
      EXPECT_EQ(verdict.meaning, Meaning::kUnknown);
      ++answered;
    });
  }
  platform_.reset();
  EXPECT_EQ(answered, 3);
}

TEST_F(NationalPlatformTest, RefusesAUrlOfAnotherKind) {
  NationalPlatform::Options options;
  options.url = "ftp://example.org";
  const auto platform = NationalPlatform::Open(std::move(options), base::SystemClock(), metrics_);
  EXPECT_THAT(std::string(base::Message(platform.status())), ::testing::HasSubstr("http"));
}

}  // namespace
}  // namespace simpul::deliver
