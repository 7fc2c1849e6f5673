// Failures on demand.

#include <fmt/format.h>

#include <chrono>

#include "tests/sandbox/sandbox_fixture.h"

namespace simpul::sandbox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FaultsTest : public SandboxFixture {
 protected:
  void SetUp() override { Start(); }
  std::string Creates() {
    const std::string report = Report();
    const size_t at = report.find("\"creates\":");
    return report.substr(at, report.find('}', at) + 1 - at);
  }
};

TEST_F(FaultsTest, AStatusIsAnsweredInsteadOfTheWork) {
  SetFault(
      R"({"match":{"method":"POST","path":"/fhir-r4/v1"},"fault":{"status":503,"retry_after":7},"times":1})");
  const HttpReply busy = PostFhir("", VisitTransaction(1));
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.at("retry-after"), "7");
  EXPECT_EQ(busy.headers.at("content-type"), "text/plain");
  EXPECT_EQ(Creates(), R"("creates":{})");
  EXPECT_EQ(PostFhir("", VisitTransaction(1)).status, 200);
}

TEST_F(FaultsTest, EveryKindOfStatusHasThePlatformsBody) {
  auto answer = [&](const std::string& fault) {
    client->Delete("/sandbox/v1/faults");
    SetFault(fmt::format(R"({{"match":{{"path":"/fhir-r4/v1*"}},"fault":{}}})", fault));
    return GetFhir("Encounter");
  };
  EXPECT_THAT(answer(R"({"status":401})").body, HasSubstr("access_token_expired"));
  const HttpReply limited = answer(R"({"status":429,"retry_after":2})");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.headers.at("retry-after"), "2");
  EXPECT_THAT(limited.body, HasSubstr("faultstring"));
  EXPECT_THAT(answer(R"({"status":500})").body,
              HasSubstr("An unexpected internal error has occurred."));
  EXPECT_EQ(answer(R"({"status":504})").body, "Gateway Timeout");
  EXPECT_EQ(answer(R"({"status":502,"text":"<html>no</html>"})").body, "<html>no</html>");
  const HttpReply refused = answer(
      R"#({"issue":{"code":"value","text":"Code not found: 'x' in system: y (RuleNumber: 10003)","expression":"Condition.code"}})#");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, AllOf(HasSubstr("OperationOutcome"), HasSubstr("RuleNumber: 10003"),
                                  HasSubstr(R"("expression":["Condition.code"])")));
}

TEST_F(FaultsTest, AnAnswerCanBeLostAfterTheCommit) {
  SetFault(
      R"({"match":{"path":"/fhir-r4/v1"},"fault":{"answer_lost_after_commit":true},"times":1})");
  const HttpReply lost = PostFhir("", VisitTransaction(2));
  EXPECT_EQ(lost.status, 0);
  EXPECT_NE(lost.error, "");
  EXPECT_THAT(Creates(), HasSubstr(R"("Encounter":1)"));
  EXPECT_THAT(PostFhir("", VisitTransaction(2)).body, HasSubstr("duplicate"));
}

TEST_F(FaultsTest, AnAnswerCanBreakOffInTheMiddle) {
  SetFault(R"({"match":{"path":"/fhir-r4/v1"},"fault":{"half_answer":true},"times":1})");
  const HttpReply half = PostFhir("", VisitTransaction(3));
  EXPECT_EQ(half.status, 0);
  EXPECT_THAT(half.body, AllOf(HasSubstr("transaction-response"), Not(HasSubstr("]}"))));
  EXPECT_THAT(Creates(), HasSubstr(R"("Encounter":1)"));
}

TEST_F(FaultsTest, AConnectionCanCloseBeforeAnythingIsDone) {
  SetFault(R"({"match":{"path":"/fhir-r4/v1"},"fault":{"close_before":true},"times":1})");
  EXPECT_EQ(PostFhir("", VisitTransaction(4)).status, 0);
  EXPECT_EQ(Creates(), R"("creates":{})");
}

TEST_F(FaultsTest, AnAnswerCanBeLate) {
  SetFault(R"({"match":{"path":"/fhir-r4/v1/Encounter"},"fault":{"delay_ms":150},"times":1})");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(GetFhir("Encounter").status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(150));
}

TEST_F(FaultsTest, TheTokenEndpointCanFailToo) {
  SetFault(R"({"match":{"path":"/oauth2/v1/accesstoken","nth":1},"fault":{"status":500}})");
  auto ask = [&] {
    return client
        ->Post("/oauth2/v1/accesstoken?grant_type=client_credentials",
               "client_id=100027469&client_secret=s", "application/x-www-form-urlencoded")
        .status;
  };
  EXPECT_EQ(ask(), 500);
  EXPECT_EQ(ask(), 200);
}

TEST_F(FaultsTest, RulesPickTheirRequests) {
  SetFault(R"({"match":{"path":"/fhir-r4/v1/Encounter","nth":2},"fault":{"status":500}})");
  SetFault(R"({"match":{"path":"/fhir-r4/v1/Condition","every":3},"fault":{"status":500}})");
  SetFault(
      R"({"match":{"path":"/fhir-r4/v1/Procedure","organization":"other"},"fault":{"status":500}})");
  SetFault(R"({"match":{"method":"POST","path":"/fhir-r4/v1/Task"},"fault":{"status":500}})");
  auto statuses = [&](const std::string& type, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += fmt::format("{} ", GetFhir(type).status);
    return out;
  };
  EXPECT_EQ(statuses("Encounter", 4), "200 500 200 200 ");
  EXPECT_EQ(statuses("Condition", 6), "200 200 500 200 200 500 ");
  EXPECT_EQ(statuses("Procedure", 2), "200 200 ");
  EXPECT_EQ(statuses("Task", 2), "200 200 ");
}

TEST_F(FaultsTest, ChanceIsTheSameEveryTime) {
  auto draw = [&] {
    SetFault(
        R"({"match":{"path":"/fhir-r4/v1/Encounter","probability":0.5},"fault":{"status":500}})");
    std::string out;
    for (int i = 0; i < 40; ++i) out += GetFhir("Encounter").status == 500 ? 'x' : '.';
    return out;
  };
  const std::string first = draw();
  Stop();
  Start();
  EXPECT_EQ(draw(), first);
  EXPECT_GT(CountOf(first, "x"), 8);
  EXPECT_GT(CountOf(first, "."), 8);
}

TEST_F(FaultsTest, AreListedAndCleared) {
  const uint64_t id =
      SetFault(R"({"match":{"path":"/fhir-r4/v1/Encounter"},"fault":{"status":500}})");
  GetFhir("Encounter");
  EXPECT_THAT(
      client->Get("/sandbox/v1/faults").body,
      AllOf(HasSubstr(fmt::format(R"("id":{})", id)), HasSubstr(R"("matched":1,"fired":1)")));
  EXPECT_EQ(client->Delete(fmt::format("/sandbox/v1/faults/{}", id)).status, 200);
  EXPECT_EQ(client->Delete(fmt::format("/sandbox/v1/faults/{}", id)).status, 404);
  EXPECT_EQ(GetFhir("Encounter").status, 200);
  SetFault(R"({"fault":{"status":500}})");
  EXPECT_EQ(GetFhir("Encounter").status, 500);
  EXPECT_EQ(client->Delete("/sandbox/v1/faults").status, 200);
  EXPECT_EQ(GetFhir("Encounter").status, 200);
}

TEST_F(FaultsTest, AWrongRuleIsRefusedWithItsMember) {
  auto refusal = [&](std::string_view rule) {
    const HttpReply reply = client->Post("/sandbox/v1/faults", rule);
    EXPECT_EQ(reply.status, 400);
    return reply.body;
  };
  EXPECT_THAT(refusal(R"({"match":{}})"), HasSubstr("fault is missing"));
  EXPECT_THAT(refusal(R"({"fault":{}})"), HasSubstr("fault does nothing"));
  EXPECT_THAT(refusal(R"({"fault":{"status":200}})"), HasSubstr("fault.status must be"));
  EXPECT_THAT(refusal(R"({"fault":{"status":500},"time":1})"), HasSubstr("time is not known"));
  EXPECT_THAT(refusal(R"({"match":{"nth":"2"},"fault":{"status":500}})"), HasSubstr("match.nth"));
  EXPECT_THAT(refusal(R"({"match":{"probability":2},"fault":{"status":500}})"),
              HasSubstr("match.probability"));
  EXPECT_THAT(refusal("["), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace simpul::sandbox::testing
