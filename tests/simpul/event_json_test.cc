#include "simpul/event_json.h"

#include <gtest/gtest.h>

#include <string>

#include "simpul/output.h"
#include "tests/support/sample_events.h"

namespace simpul::cli {
namespace {

ingest::v1::Violation Wrong(std::string_view line) {
  const auto parsed = ParseEventLine(line);
  const auto* violation = std::get_if<ingest::v1::Violation>(&parsed);
  if (violation == nullptr) {
    ADD_FAILURE() << "the line was taken";
    return {};
  }
  EXPECT_FALSE(violation->message().empty());
  EXPECT_FALSE(violation->fix().empty());
  return *violation;
}

TEST(EventJson, ReadsWhatItWrites) {
  for (const auto& [name, event] : testing::SampleEvents()) {
    const auto parsed = ParseEventLine(ToJson(event));
    ASSERT_TRUE(std::holds_alternative<event::v1::Event>(parsed));
    EXPECT_EQ(std::get<event::v1::Event>(parsed).SerializeAsString(), event.SerializeAsString());
  }
}

TEST(EventJson, TakesNamesInBothForms) {
  EXPECT_TRUE(std::holds_alternative<event::v1::Event>(ParseEventLine(R"({"event_id":"x"})")));
  EXPECT_TRUE(std::holds_alternative<event::v1::Event>(ParseEventLine(R"({"eventId":"x"})")));
}

TEST(EventJson, NamesTheFieldThatDoesNotExistAndNotItsValue) {
  const auto violation = Wrong(R"({"subject":{"nama":"Siti Aminah"}})");
  EXPECT_EQ(violation.rule(), "json.unknown_field");
  EXPECT_EQ(violation.field(), "subject.nama");
  EXPECT_EQ(violation.DebugString().find("Siti"), std::string::npos);
}

TEST(EventJson, NamesTheFieldWithAValueThatCannotBe) {
  const auto sex = Wrong(R"({"subject":{"sex":"Perempuan"}})");
  EXPECT_EQ(sex.rule(), "json.value");
  EXPECT_EQ(sex.field(), "subject.sex");
  EXPECT_EQ(sex.DebugString().find("Perempuan"), std::string::npos);
  const auto weight = Wrong(R"({"visit":{"weight_g":"9,3 kg"}})");
  EXPECT_EQ(weight.rule(), "json.value");
  EXPECT_EQ(weight.field(), "visit.weight_g");
  EXPECT_EQ(weight.DebugString().find("9,3"), std::string::npos);
  EXPECT_EQ(Wrong(R"({"recorded_at":"yesterday"})").rule(), "json.value");
  EXPECT_EQ(Wrong(R"({"visit":{},"birth":{}})").rule(), "json.value");
}

TEST(EventJson, TellsAChoiceThatMayBeNewerFromOtherValues) {
  const auto sex = Wrong(R"({"subject":{"sex":"SEX_NEWER_2"}})");
  EXPECT_EQ(sex.rule(), "enum.unknown");
  EXPECT_EQ(sex.field(), "subject.sex");
  EXPECT_EQ(RetryOf(sex), ingest::v1::RETRY_AFTER_UPGRADE);
  EXPECT_EQ(sex.DebugString().find("NEWER_2"), std::string::npos);
  for (const char* line :
       {R"({"subject":{"sex":true}})", R"({"subject":{"sex":"SEX FEMALE"}})",
        R"({"subject":{"sex":"sex_female"}})", R"({"subject":{"sex":"7324024101010001"}})",
        R"({"subject":{"sex":"A\" for type type.googleapis.com/simpul.event.v1.Sex"}})",
        R"({"visit":{"weight_g":"SEX_FEMALE"}})", R"({"recorded_at":"SEX_FEMALE"})"}) {
    EXPECT_EQ(Wrong(line).rule(), "json.value") << line;
    EXPECT_EQ(RetryOf(Wrong(line)), ingest::v1::RETRY_FINAL) << line;
  }
  EXPECT_EQ(RetryOf(Wrong(R"({"subject":{"nama":""}})")), ingest::v1::RETRY_AFTER_UPGRADE);
}

TEST(EventJson, SaysWhereALineIsNotUtf8) {
  const auto name = Wrong("{\"subject\":{\"name\":\"Siti \xc3\x28\"}}");
  EXPECT_EQ(name.rule(), "json.utf8");
  EXPECT_EQ(name.message(), "the line is not UTF-8: byte 26 begins no character");
  EXPECT_EQ(Wrong("{\"subject\":{\"name\":\"Ren\xe9\"}}").rule(), "json.utf8");
  EXPECT_EQ(Wrong("\xff\xfe{}").rule(), "json.utf8");
}

TEST(EventJson, SaysWhereJsonBreaksOff) {
  EXPECT_EQ(Wrong(R"({"event_id":"a" "visit":{}})").message(),
            "the line is not one JSON object: what stands at byte 17 cannot stand there");
  EXPECT_EQ(Wrong(R"({"event_id":"a")").message(),
            "the line is not one JSON object: it ends too early, after 15 bytes");
  EXPECT_EQ(Wrong("{} {}").message(),
            "the line is not one JSON object: what stands at byte 4 cannot stand there");
  EXPECT_EQ(Wrong("[]").message(), "the line is not one JSON object");
  EXPECT_EQ(Wrong(std::string(100'000, '[')).rule(), "json.syntax");
}

TEST(EventJson, SaysThatALineIsNoJsonWithoutQuotingIt) {
  for (const char* line : {"Siti Aminah;7324024101010001", "{", "[]", "12", "{\"event_id\": 3201",
                           "{\"event_id\":7324024101010001 \"Siti\"}"}) {
    const auto violation = Wrong(line);
    EXPECT_EQ(violation.rule(), "json.syntax") << line;
    EXPECT_EQ(violation.DebugString().find("Siti"), std::string::npos) << line;
    EXPECT_EQ(violation.DebugString().find("7324"), std::string::npos) << line;
    EXPECT_EQ(violation.DebugString().find("3201"), std::string::npos) << line;
  }
}

TEST(EventJson, MasksAPathThatIsAnIdentityNumber) {
  const auto violation = Wrong(R"({"7324024101010001":1})");
  EXPECT_EQ(violation.rule(), "json.unknown_field");
  EXPECT_EQ(violation.DebugString().find("7324024101010001"), std::string::npos);
}

TEST(EventJson, FindsTheIdInALineThatIsNoEvent) {
  const std::string id = "6f1f6d5e-3c3b-4c8e-9d43-0a3c5b7e9d10";
  EXPECT_EQ(FindEventId("{\"event_id\": \"" + id + "\", \"visit\": {"), id);
  EXPECT_EQ(FindEventId("{\"eventId\":\"" + id + "\"}x"), id);
  EXPECT_EQ(FindEventId("{\"event_id\":\"7324024101010001\"}"), "");
  EXPECT_EQ(FindEventId("nothing"), "");
}

}  // namespace
}  // namespace simpul::cli
