#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/fhir/map.h"
#include "tests/fhir/entries.h"
#include "tests/support/sample_events.h"

namespace simpul::fhir {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SampleNamed;

std::map<std::string, KnownPart> Delivered(const Mapped& mapped) {
  std::map<std::string, KnownPart> known;
  for (const Part& part : mapped.parts) {
    known[part.key] = {part.resource_type, "id-" + std::to_string(known.size()), part.json};
  }
  return known;
}

TEST(MakeTransaction, PostsWhatIsNewInTheOrderOfTheParts) {
  const Mapped mapped = MappedOf(EntryOf({SampleNamed("outpatient_visit")}));
  const Transaction transaction = MakeTransaction(mapped, {});
  ASSERT_EQ(transaction.sendings.size(), mapped.parts.size());
  for (size_t i = 0; i < mapped.parts.size(); ++i) {
    EXPECT_EQ(transaction.sendings[i].key, mapped.parts[i].key);
    EXPECT_TRUE(transaction.sendings[i].posted);
  }
  EXPECT_EQ(transaction.json, TransactionBundle(mapped, {}));
}

TEST(MakeTransaction, PutsWhatIsKnownAndRefersToItById) {
  const Mapped mapped = MappedOf(EntryOf({SampleNamed("weighing")}));
  const auto known = Delivered(mapped);
  const Transaction transaction = MakeTransaction(mapped, known);
  for (const Sending& sending : transaction.sendings) {
    EXPECT_FALSE(sending.posted);
    EXPECT_FALSE(sending.entered_in_error);
  }
  const std::string id = known.at(mapped.parts[0].key).platform_id;
  EXPECT_THAT(transaction.json,
              HasSubstr("{\"resourceType\":\"Encounter\",\"id\":\"" + id + "\",\"identifier\""));
  EXPECT_THAT(transaction.json,
              HasSubstr("\"request\":{\"method\":\"PUT\",\"url\":\"Encounter/" + id + "\"}"));
  EXPECT_THAT(transaction.json,
              HasSubstr("\"encounter\":{\"reference\":\"Encounter/" + id + "\"}"));
  EXPECT_THAT(transaction.json, Not(HasSubstr("\"reference\":\"urn:uuid:")));
  EXPECT_THAT(transaction.json, HasSubstr("\"fullUrl\":\"urn:uuid:" + mapped.parts[0].key));
}

TEST(MakeTransaction, MarksWhatFellAwayAsEnteredInErrorOnce) {
  const Mapped before = MappedOf(EntryOf({SampleNamed("growth_visit"), SampleNamed("vitamin_a")}));
  const Mapped after = MappedOf(EntryOf({SampleNamed("growth_visit")}));
  auto known = Delivered(before);
  const Transaction transaction = MakeTransaction(after, known);
  ASSERT_EQ(transaction.sendings.size(), before.parts.size());
  const Sending& fallen = transaction.sendings.back();
  EXPECT_EQ(fallen.resource_type, "Procedure");
  EXPECT_TRUE(fallen.entered_in_error);
  KnownPart& procedure = known.at(fallen.key);
  procedure.json = EnteredInError("Procedure", procedure.json);
  EXPECT_EQ(MakeTransaction(after, known).sendings.size(), after.parts.size());
}

TEST(MakeTransaction, LeavesAnotherRecordsEncounterAloneWhereItIsKnown) {
  const Mapped mapped = MappedOf(EntryOf({SampleNamed("referral_sent")}));
  const Transaction first = MakeTransaction(mapped, {});
  EXPECT_EQ(first.sendings.size(), mapped.parts.size());
  const std::map<std::string, KnownPart> visit_delivered = {
      {mapped.parts[0].key, {"Encounter", "e-1", mapped.parts[0].json}}};
  const Transaction second = MakeTransaction(mapped, visit_delivered);
  for (const Sending& sending : second.sendings) {
    EXPECT_NE(sending.resource_type, "Encounter");
    EXPECT_TRUE(sending.posted);
  }
  EXPECT_EQ(second.sendings.size(), mapped.parts.size() - 2);  // nor its reason of contact
  EXPECT_THAT(second.json, HasSubstr("\"encounter\":{\"reference\":\"Encounter/e-1\"}"));
}

TEST(MakeTransaction, RefersToAnothersEncounterWhenAReferralIsWithdrawn) {
  const Mapped before = MappedOf(EntryOf({SampleNamed("referral_sent")}));
  std::map<std::string, KnownPart> known = Delivered(before);
  for (const Part& part : before.parts) {
    if (part.only_if_absent) known.at(part.key).json.clear();
  }
  const Transaction transaction = MakeTransaction({before.organization, {}, {}}, known);
  ASSERT_EQ(transaction.sendings.size(), before.parts.size() - 2);
  for (const Sending& sending : transaction.sendings) EXPECT_TRUE(sending.entered_in_error);
  EXPECT_THAT(transaction.json, Not(HasSubstr("\"reference\":\"urn:uuid:")));
  EXPECT_THAT(transaction.json, HasSubstr("\"encounter\":{\"reference\":\"Encounter/" +
                                          known.at(before.parts[0].key).platform_id + "\"}"));
}

TEST(MakeTransaction, OfNothingHasNoEmptyList) {
  EXPECT_EQ(TransactionBundle({}, {}), R"({"resourceType":"Bundle","type":"transaction"})");
  EXPECT_EQ(CollectionBundle({}), R"({"resourceType":"Bundle","type":"collection"})");
}

TEST(CollectionBundle, NamesPeopleAndFacilityByIdentifier) {
  const std::string bundle = CollectionBundle(MappedOf(EntryOf({SampleNamed("weighing")})));
  EXPECT_THAT(bundle, Not(HasSubstr("\"reference\":\"Patient/")));
  EXPECT_THAT(bundle, Not(HasSubstr("\"reference\":\"Practitioner/")));
  EXPECT_THAT(bundle, Not(HasSubstr("\"reference\":\"Organization/")));
  EXPECT_THAT(bundle, HasSubstr("\"serviceProvider\":{\"type\":\"Organization\",\"identifier\":{"
                                "\"system\":\"https://fhir.kemkes.go.id/id/org-number\","
                                "\"value\":\"100027469\"}}"));
  EXPECT_THAT(bundle, HasSubstr("\"system\":\"https://fhir.kemkes.go.id/id/nakes-his-number\","
                                "\"value\":\"10001354453\""));
}

TEST(EnteredInError, ChangesTheStatusAndNoOtherByte) {
  EXPECT_EQ(EnteredInError("Observation",
                           R"({"resourceType":"Observation","identifier":[{"system":"s",)"
                           R"("value":"v"}],"status":"final","note":[{"text":"a \"status\": x}"}],)"
                           R"("valueQuantity":{"value":7.450,"unit":"kg"}})"),
            R"({"resourceType":"Observation","identifier":[{"system":"s",)"
            R"("value":"v"}],"note":[{"text":"a \"status\": x}"}],)"
            R"("valueQuantity":{"value":7.450,"unit":"kg"},"status":"entered-in-error"})");
}

TEST(EnteredInError, KeepsTheHistoryOfAnEncounter) {
  const Mapped mapped = MappedOf(EntryOf({SampleNamed("weighing")}));
  const std::string json = EnteredInError("Encounter", mapped.parts[0].json);
  EXPECT_THAT(json, HasSubstr("\"status\":\"arrived\""));
  EXPECT_THAT(json, HasSubstr("\"status\":\"entered-in-error\"}"));
  EXPECT_EQ(EnteredInError("Encounter", json), json);
}

TEST(EnteredInError, TakesTheClinicalStatusOfAConditionAway) {
  const std::string json = EnteredInError(
      "Condition",
      R"({"resourceType":"Condition","clinicalStatus":{"coding":[{"code":"active"}]},)"
      R"("verificationStatus":{"coding":[{"code":"confirmed"}]},"code":{"text":"x"}})");
  EXPECT_EQ(json,
            R"({"resourceType":"Condition","code":{"text":"x"},"verificationStatus":{"coding":[{)"
            R"("system":"http://terminology.hl7.org/CodeSystem/condition-ver-status",)"
            R"("code":"entered-in-error","display":"Entered in Error"}]}})");
}

}  // namespace
}  // namespace simpul::fhir
