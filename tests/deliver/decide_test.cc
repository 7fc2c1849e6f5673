#include "lib/deliver/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace simpul::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const base::Time kNow =
    std::chrono::sys_days(std::chrono::January / 5 / 2026) + std::chrono::hours(1);

HttpAnswer Answer(int status, std::string body, std::string retry_after = "") {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.retry_after = std::move(retry_after);
  return answer;
}

HttpAnswer NoAnswer(HttpAnswer::Arrival arrival, std::string problem) {
  HttpAnswer answer;
  answer.arrival = arrival;
  answer.problem = std::move(problem);
  return answer;
}

std::string Outcome(std::string_view code, std::string_view text, bool in_diagnostics = false) {
  const std::string words = in_diagnostics ? R"("diagnostics":")" + std::string(text) + R"(")"
                                           : R"("details":{"text":")" + std::string(text) + R"("})";
  return R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":")" +
         std::string(code) + R"(",)" + words + "}]}";
}

constexpr std::string_view kCreated =
    R"({"resourceType":"Bundle","type":"transaction-response","entry":[
      {"response":{"status":"201 Created","resourceType":"Encounter","resourceID":"e1"}},
      {"response":{"status":"200 OK","location":"https://host/fhir/Observation/o2/_history/MTY"}}]})";

struct Case {
  std::string name;
  HttpAnswer answer;
  Meaning meaning;
  std::string reason;
  log::v1::OutcomeClass outcome;
};

std::vector<Case> Cases() {
  using enum Meaning;
  const auto retry = log::v1::OUTCOME_CLASS_RETRY;
  const auto unknown = log::v1::OUTCOME_CLASS_UNKNOWN;
  const auto refused = log::v1::OUTCOME_CLASS_REFUSED;
  const auto held = log::v1::OUTCOME_CLASS_HELD;
  return {
      {"created", Answer(200, std::string(kCreated)), kDone, "", log::v1::OUTCOME_CLASS_DELIVERED},
      {"duplicate with its number",
       Answer(400, Outcome("duplicate", "Found duplicate: Encounter (RuleNumber: 20002)")),
       kDuplicate, "duplicate", unknown},
      {"duplicate by code alone", Answer(400, Outcome("duplicate", "Resource exists")), kDuplicate,
       "duplicate", unknown},
      {"duplicate by words alone",
       Answer(400, Outcome("value", "Found duplicate resource: Observation")), kDuplicate,
       "duplicate", unknown},
      {"a rule", Answer(400, Outcome("value", "Wrong organization ID (RuleNumber: 10117)")),
       kRefused, "rule_10117", refused},
      {"a rule in diagnostics",
       Answer(400, Outcome("value", "Element not found (RuleNumber: 10457)", true)), kRefused,
       "rule_10457", refused},
      {"a reference that is not there yet",
       Answer(400, Outcome("value", "Resource not found (RuleNumber: 20007)")), kHeld, "rule_20007",
       held},
      {"no permission", Answer(403, Outcome("forbidden", "No scope (RuleNumber: 20003)")), kHeld,
       "rule_20003", held},
      {"another organisation's",
       Answer(400, Outcome("value", "resource cannot be accessed due to business rule")), kHeld,
       "organization_mismatch", held},
      {"privacy", Answer(400, Outcome("value", "privacy: one or more codes not allowed")), kRefused,
       "privacy", refused},
      {"an issue without a rule", Answer(422, Outcome("structure", "bad period")), kRefused,
       "issue_structure", refused},
      {"a passing issue", Answer(409, Outcome("lock-error", "try again")), kRetry,
       "issue_lock_error", retry},
      {"business failure in 200",
       Answer(200, R"({"success":false,"message":"Citizen Not Exists"})"), kRefused,
       "business_failure", refused},
      {"an error in 200", Answer(200, Outcome("value", "No (RuleNumber: 10122)")), kRefused,
       "rule_10122", refused},
      {"half an answer", Answer(200, std::string(kCreated.substr(0, 90))), kUnknown,
       "unreadable_answer", unknown},
      {"an answer to another question",
       Answer(
           200,
           R"({"resourceType":"Bundle","entry":[{"response":{"status":"201","resourceID":"x"}}]})"),
       kUnknown, "unreadable_answer", unknown},
      {"no token any more", Answer(401, ""), kHeld, "credentials", held},
      {"the gateway's own 401",
       Answer(
           401,
           R"({"fault":{"faultstring":"x","detail":{"errorcode":"keymanagement.service.invalid_access_token"}}})"),
       kHeld, "credentials", held},
      {"too fast", Answer(429, "", "7"), kRetry, "http_429", retry},
      {"server error in text", Answer(500, "An unexpected internal error"), kUnknown, "http_500",
       unknown},
      {"gateway time-out in text", Answer(504, "Gateway Timeout"), kUnknown, "http_504", unknown},
      {"unavailable", Answer(503, "down"), kUnknown, "http_503", unknown},
      {"a redirect", Answer(302, ""), kHeld, "http_302", held},
      {"a wrong address", Answer(404, "nothing here"), kHeld, "http_404", held},
      {"too large", Answer(413, ""), kRefused, "http_413", refused},
      {"never sent", NoAnswer(HttpAnswer::Arrival::kNeverSent, "unreachable"), kRetry,
       "unreachable", retry},
      {"lost", NoAnswer(HttpAnswer::Arrival::kLost, "timed_out"), kUnknown, "timed_out", unknown},
  };
}

TEST(Decide, GivesEveryAnswerItsMeaningAndItsOutcome) {
  for (const Case& one : Cases()) {
    const Verdict verdict = ClassifyTransaction(one.answer, 2, kNow);
    EXPECT_EQ(verdict.meaning, one.meaning) << one.name;
    EXPECT_EQ(verdict.reason, one.reason) << one.name;
    const Decision decision = Decide(verdict, Try{1, kNow, kNow, 0.5}, RetryPolicy{});
    EXPECT_EQ(decision.outcome, one.outcome) << one.name;
    EXPECT_EQ(decision.retry_at.has_value(), one.outcome == log::v1::OUTCOME_CLASS_RETRY ||
                                                 one.outcome == log::v1::OUTCOME_CLASS_UNKNOWN ||
                                                 one.outcome == log::v1::OUTCOME_CLASS_HELD)
        << one.name;
  }
}

TEST(Decide, ReadsTheIdsInTheOrderOfTheRequest) {
  const Verdict verdict = ClassifyTransaction(Answer(200, std::string(kCreated)), 2, kNow);
  ASSERT_EQ(verdict.created.size(), 2u);
  EXPECT_EQ(verdict.created[0].resource_type + "/" + verdict.created[0].id, "Encounter/e1");
  EXPECT_EQ(verdict.created[1].resource_type + "/" + verdict.created[1].id, "Observation/o2");
}

TEST(Decide, BlamesTheFirstFaultAndNotItsConsequences) {
  const std::string body =
      R"json({"issue":[{"code":"value","details":{"text":"previous error (RuleNumber: 20013)"}},
                       {"code":"value","details":{"text":"Code not found (RuleNumber: 10003)"}}]})json";
  EXPECT_EQ(ClassifyTransaction(Answer(400, body), 2, kNow).reason, "rule_10003");
}

TEST(Decide, KeepsThePlatformsWordsWithoutIdentityNumbers) {
  const Verdict verdict = ClassifyTransaction(
      Answer(400, Outcome("value", "patient 7324021505200001 unknown\\n(RuleNumber: 10166)")), 2,
      kNow);
  EXPECT_EQ(verdict.platform_says, "patient **************** unknown (RuleNumber: 10166)");
}

TEST(Decide, ReadsRetryAfterInSecondsAndAsADate) {
  EXPECT_EQ(ReadRetryAfter("120", kNow), seconds(120));
  EXPECT_EQ(ReadRetryAfter(" 3 ", kNow), seconds(3));
  EXPECT_EQ(ReadRetryAfter("Mon, 05 Jan 2026 01:02:30 GMT", kNow), seconds(150));
  EXPECT_EQ(ReadRetryAfter("Sun, 04 Jan 2026 01:00:00 GMT", kNow), seconds(0));
  EXPECT_EQ(ReadRetryAfter("", kNow), std::nullopt);
  EXPECT_EQ(ReadRetryAfter("soon", kNow), std::nullopt);
  EXPECT_EQ(ReadRetryAfter("-5", kNow), std::nullopt);
  EXPECT_EQ(ReadRetryAfter("Mon, 99 Jan 2026 01:02:30 GMT", kNow), std::nullopt);
}

TEST(Decide, WaitsAtLeastAsLongAsThePlatformAsks) {
  const Verdict verdict = ClassifyTransaction(Answer(429, "", "40"), 2, kNow);
  EXPECT_EQ(Decide(verdict, Try{1, kNow, kNow, 0.9}, RetryPolicy{}).retry_at, kNow + seconds(40));
}

TEST(Decide, BacksOffWithFullJitterUpToTheCap) {
  const milliseconds base_wait(1000), cap(300'000);
  EXPECT_EQ(FullJitter(base_wait, cap, 1, 0.5), milliseconds(500));
  EXPECT_EQ(FullJitter(base_wait, cap, 4, 0.5), milliseconds(4000));
  EXPECT_EQ(FullJitter(base_wait, cap, 10, 0.5), milliseconds(150'000));
  EXPECT_EQ(FullJitter(base_wait, cap, 4'000'000'000u, 0.999), milliseconds(299'700));
  EXPECT_EQ(FullJitter(base_wait, cap, 7, 0), milliseconds(0));
}

TEST(Decide, SearchesNotBeforeThePlatformCanHaveFinished) {
  const RetryPolicy policy;
  const Verdict lost =
      ClassifyTransaction(NoAnswer(HttpAnswer::Arrival::kLost, "connection_lost"), 2, kNow);
  EXPECT_EQ(Decide(lost, Try{1, kNow - seconds(1), kNow, 0.5}, policy).retry_at,
            kNow - seconds(1) + policy.request_limit);
  // An answer of the back end itself is its end.
  const Verdict failed = ClassifyTransaction(Answer(500, "no"), 2, kNow);
  EXPECT_EQ(Decide(failed, Try{1, kNow - seconds(1), kNow, 0.5}, policy).retry_at,
            kNow + milliseconds(500));
}

TEST(Decide, AsksToAdoptAtOnceAfterADuplicate) {
  const Verdict verdict = ClassifyTransaction(Answer(400, Outcome("duplicate", "x")), 2, kNow);
  const Decision decision = Decide(verdict, Try{3, kNow, kNow, 0.9}, RetryPolicy{});
  EXPECT_TRUE(decision.adopt);
  EXPECT_EQ(decision.retry_at, kNow);
}

TEST(Decide, TakesAReadThatWentWrongAsSomethingToAskAgain) {
  EXPECT_EQ(ClassifyRead(Answer(200, R"({"resourceType":"Bundle","total":0})"), kNow).meaning,
            Meaning::kDone);
  EXPECT_EQ(ClassifyRead(Answer(500, "no"), kNow).meaning, Meaning::kRetry);
  EXPECT_EQ(ClassifyRead(NoAnswer(HttpAnswer::Arrival::kLost, "timed_out"), kNow).meaning,
            Meaning::kRetry);
  EXPECT_EQ(ClassifyRead(Answer(200, "{"), kNow).meaning, Meaning::kRetry);
}

}  // namespace
}  // namespace simpul::deliver
