#include "lib/deliver/adopt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace simpul::deliver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kPatient[] = "P1";

fhir::Part PartOf(const std::string& key, const std::string& type, const std::string& json = "") {
  return {key, type, type == "Immunization" ? "" : "system", json, false};
}
FoundResource Found(const std::string& id, const std::string& patient = kPatient,
                    const std::string& json = "") {
  return {"", id, patient, json};
}
std::string Dose(const std::string& encounter) {
  return R"({"vaccineCode":{"coding":[{"system":"kfa","code":"1"}]},)"
         R"("occurrenceDateTime":"2026-01-05T01:00:00+00:00","encounter":{"reference":")" +
         encounter + R"("}})";
}
std::vector<std::string> IdsOf(const log::v1::Outcome& outcome) {
  std::vector<std::string> ids;
  for (const log::v1::PlatformId& id : outcome.platform_ids()) {
    ids.push_back(id.part() + "=" + id.resource_type() + "/" + id.id());
  }
  return ids;
}

TEST(Adopt, TakesARecordForDeliveredWhenAllItWasToCreateIsThere) {
  const auto outcome = Adopt({PartOf("e", "Encounter"), PartOf("o", "Observation")}, {}, kPatient,
                             {}, {{{"e", {Found("E1")}}, {"o", {Found("O1")}}}, {}});
  EXPECT_EQ(outcome.outcome(), log::v1::OUTCOME_CLASS_DELIVERED);
  EXPECT_EQ(outcome.reason(), "");
  EXPECT_THAT(IdsOf(outcome), ElementsAre("e=Encounter/E1", "o=Observation/O1"));
}

TEST(Adopt, SendsAgainWhatHadPartsThereBefore) {
  // All of it is there, but whether the change of what was there arrived cannot be seen.
  const auto outcome =
      Adopt({PartOf("e", "Encounter"), PartOf("o", "Observation")},
            {{"e", {"Encounter", "E1", ""}}}, kPatient, {}, {{{"o", {Found("O1")}}}, {}});
  EXPECT_EQ(outcome.outcome(), log::v1::OUTCOME_CLASS_RETRY);
  EXPECT_EQ(outcome.reason(), "partly_found_there");
  EXPECT_THAT(IdsOf(outcome), ElementsAre("o=Observation/O1"));
}

TEST(Adopt, SendsAgainAtOnceWhatIsNotThere) {
  const auto outcome = Adopt({PartOf("e", "Encounter")}, {}, kPatient, {}, {});
  EXPECT_EQ(outcome.outcome(), log::v1::OUTCOME_CLASS_RETRY);
  EXPECT_EQ(outcome.reason(), "not_found_there");
  EXPECT_EQ(outcome.retry_at_us(), 0);
  EXPECT_THAT(IdsOf(outcome), IsEmpty());
}

TEST(Adopt, SendsAgainWhatOnlyTakesBack) {
  const auto outcome = Adopt({}, {}, kPatient, {}, {});
  EXPECT_EQ(outcome.outcome(), log::v1::OUTCOME_CLASS_RETRY);
}

TEST(Adopt, TakesTheSmallestIdOfDoublesEveryTime) {
  const auto outcome = Adopt({PartOf("e", "Encounter")}, {}, kPatient, {},
                             {{{"e", {Found("E3"), Found("E1", "P2"), Found("E2")}}}, {}});
  EXPECT_EQ(outcome.outcome(), log::v1::OUTCOME_CLASS_DELIVERED);
  EXPECT_THAT(IdsOf(outcome), ElementsAre("e=Encounter/E2"));
}

TEST(Adopt, HoldsWhatLiesUnderAnotherPatientAndKeepsWhatIsOurs) {
  const auto outcome = Adopt({PartOf("e", "Encounter"), PartOf("o", "Observation")}, {}, kPatient,
                             {}, {{{"e", {Found("E1")}}, {"o", {Found("O1", "P2")}}}, {}});
  EXPECT_EQ(outcome.outcome(), log::v1::OUTCOME_CLASS_HELD);
  EXPECT_EQ(outcome.reason(), "delivered_under_other_patient");
  EXPECT_THAT(IdsOf(outcome), ElementsAre("e=Encounter/E1"));
}

TEST(Adopt, RefusesADuplicateOfWhichNothingIsThereInThePlatformsWords) {
  RevisionRow row;
  row.last = log::v1::OUTCOME_CLASS_UNKNOWN;
  row.reason = "duplicate";
  row.platform_says = "already there";
  const std::vector<fhir::Part> parts = {PartOf("e", "Encounter"), PartOf("o", "Observation")};
  const auto none = Adopt(parts, {}, kPatient, row, {});
  EXPECT_EQ(none.outcome(), log::v1::OUTCOME_CLASS_REFUSED);
  EXPECT_EQ(none.reason(), "duplicate_not_found");
  EXPECT_EQ(none.platform_says(), "already there");
  const auto some = Adopt(parts, {}, kPatient, row, {{{"o", {Found("O1")}}}, {}});
  EXPECT_EQ(some.outcome(), log::v1::OUTCOME_CLASS_RETRY);
  EXPECT_EQ(some.reason(), "partly_found_there");
}

TEST(Adopt, TakesEveryImmunizationOnceAndOnlyThoseOfTheEncounter) {
  const std::vector<fhir::Part> parts = {PartOf("e", "Encounter"),
                                         PartOf("i", "Immunization", Dose("urn:uuid:e")),
                                         PartOf("j", "Immunization", Dose("urn:uuid:e"))};
  Searched searched;
  searched.by_part["e"] = {Found("E1")};
  searched.immunizations = {
      Found("I4", kPatient, Dose("Encounter/E1")), Found("I1", kPatient, Dose("Encounter/E2")),
      Found("I2", "P2", Dose("Encounter/E1")), Found("I3", kPatient, Dose("Encounter/E1"))};
  const auto outcome = Adopt(parts, {}, kPatient, {}, searched);
  EXPECT_EQ(outcome.outcome(), log::v1::OUTCOME_CLASS_DELIVERED);
  EXPECT_THAT(IdsOf(outcome),
              ElementsAre("e=Encounter/E1", "i=Immunization/I3", "j=Immunization/I4"));
}

TEST(Adopt, LeavesAnImmunizationThatIsKnownAsAnotherPart) {
  const auto outcome =
      Adopt({PartOf("e", "Encounter"), PartOf("i", "Immunization", Dose("urn:uuid:e")),
             PartOf("j", "Immunization", Dose("urn:uuid:e"))},
            {{"e", {"Encounter", "E1", ""}}, {"i", {"Immunization", "I1", ""}}}, kPatient, {},
            {{}, {Found("I1", kPatient, Dose("Encounter/E1"))}});
  EXPECT_THAT(IdsOf(outcome), IsEmpty());
}

}  // namespace
}  // namespace simpul::deliver
