// What the platform answers, whatever it is.
#include "lib/base/check.h"
#include "lib/base/text.h"
#include "lib/deliver/decide.h"
#include "lib/deliver/found.h"
#include "tests/fuzz/target.h"

namespace simpul::fuzz {
namespace {

constexpr std::string_view kImmunization =
    R"({"resourceType":"Immunization","id":"1","status":"completed","vaccineCode":{"coding":[{"system":)"
    R"("http://sys-ids.kemkes.go.id/kfa","code":"93001282"}]},"patient":{"reference":"Patient/P1"},)"
    R"("encounter":{"reference":"Encounter/E1"},"occurrenceDateTime":"2026-02-05T01:00:00+00:00"})";

void CheckVerdict(const deliver::Verdict& verdict) {
  SIMPUL_CHECK(verdict.meaning == deliver::Meaning::kDone || !verdict.reason.empty(),
               "trouble without a reason");
  SIMPUL_CHECK(verdict.platform_says == base::MaskNumbers(verdict.platform_says),
               "the platform's words hold a number of a person");
}

}  // namespace

std::vector<std::string> Seeds() {
  const std::string immunization(kImmunization);
  return {
      R"({"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"etag":"W/1",)"
      R"("lastModified":"2026-02-05T01:00:00+00:00","location":"https://x/fhir-r4/v1/Encounter/a1/_history/1",)"
      R"("resourceID":"a1","resourceType":"Encounter","status":"201 Created"}},{"response":{"resourceID":)"
      R"("a2","resourceType":"Observation","status":"201 Created"}}]})",
      R"({"resourceType":"Bundle","type":"searchset","total":1,"link":[{"relation":"self","url":)"
      R"("https://x/Immunization?patient=P1&identifier=2"},{"relation":"next","url":"https://x/?page=2"}],)"
      R"("entry":[{"fullUrl":"https://x/Immunization/1","resource":)" +
          immunization + R"(},{"resource":{"resourceType":"OperationOutcome"}}]})",
      R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"business-rule","details":)"
      R"({"text":"Data (RuleNumber: 10117) 7324024105200001"},"diagnostics":"d"}]})",
      R"({"resourceType":"OperationOutcome","issue":[{"code":"duplicate","severity":"error"}]})",
      R"({"fault":{"faultstring":"Invalid access token","detail":{"errorcode":"oauth.v2.InvalidAccessToken"}}})",
      R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":)"
      R"("urn:uuid:264e856f-da4f-5ed0-b0dc-40db30615bff","resource":{"resourceType":"Encounter"},"request":)"
      R"({"method":"PUT","url":"Encounter/a1"}}]})",
      "<html>upstream request timeout</html>",
      "Sun, 22 Nov 2026 09:26:55 GMT",
      "120",
      immunization,
  };
}

}  // namespace simpul::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace simpul;
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  const base::Time now = base::FromMicros(1'790'000'000'000'000);
  for (const deliver::FoundResource& found : deliver::ReadFound(body, "Immunization")) {
    SIMPUL_CHECK(found.resource_type == "Immunization", "what was not asked for");
    static_cast<void>(deliver::SameImmunization(fuzz::kImmunization, found.json, "E1"));
  }
  static_cast<void>(deliver::SameImmunization(body, fuzz::kImmunization, ""));
  static_cast<void>(deliver::WasApplied(body, "identifier"));
  static_cast<void>(deliver::HasNextPage(body));
  static_cast<void>(deliver::EntriesOf(body));
  static_cast<void>(deliver::ReadIssues(body));
  if (const auto wait = deliver::ReadRetryAfter(body, now)) {
    SIMPUL_CHECK(wait->count() >= 0, "back in time");
  }
  deliver::HttpAnswer answer;
  answer.body = std::string(body);
  answer.retry_after = std::string(body.substr(0, 64));
  for (const int status :
       {200, 201, 400, 401, 403, 404, 409, 412, 422, 429, 500, 503, 504, 0, 999}) {
    answer.status = status;
    const deliver::Verdict sent = deliver::ClassifyTransaction(answer, 2, now);
    fuzz::CheckVerdict(sent);
    SIMPUL_CHECK(sent.meaning != deliver::Meaning::kDone || sent.created.size() == 2,
                 "done without the ids");
    const deliver::Verdict read = deliver::ClassifyRead(answer, now);
    fuzz::CheckVerdict(read);
    SIMPUL_CHECK(read.meaning != deliver::Meaning::kUnknown, "asking again is always safe");
  }
  return 0;
}
