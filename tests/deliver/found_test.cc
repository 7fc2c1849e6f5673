#include "lib/deliver/found.h"

#include <gtest/gtest.h>

#include "lib/deliver/patient_query.h"

namespace simpul::deliver {
namespace {

TEST(ReadFound, SaysWhoseEachResourceIsAndLeavesOutWhatIsNone) {
  const auto found = ReadFound(
      R"({"resourceType":"Bundle","entry":[
        {"resource":{"resourceType":"OperationOutcome","issue":[]}},
        {"resource":{"resourceType":"Observation","id":"o1","subject":{"reference":"Patient/P1"},"identifier":[]}},
        {"resource":{"resourceType":"Observation","subject":{"reference":"Patient/P1"}}},
        {"resource":{"resourceType":"Observation","id":"o2","identifier":{}}}]})",
      "Observation");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id, "o1");
  EXPECT_EQ(found[0].patient_id, "P1");
  EXPECT_EQ(found[1].patient_id, "");
  EXPECT_TRUE(ReadFound("gateway says no", "Observation").empty());
}

TEST(WasApplied, IsFalseOnlyWhenTheSelfLinkLeavesTheParameterOut) {
  EXPECT_TRUE(WasApplied(R"({"link":[{"relation":"self","url":"http://x/O?identifier=a%7Cb"}]})",
                         "identifier"));
  EXPECT_TRUE(WasApplied(R"({"total":0})", "identifier"));
  EXPECT_FALSE(
      WasApplied(R"({"link":[{"relation":"self","url":"http://x/O?_count=1"}]})", "identifier"));
  EXPECT_FALSE(WasApplied(R"({"link":[{"relation":"self","url":"http://x/O"}]})", "identifier"));
}

TEST(SameImmunization, ComparesVaccineInstantAndEncounter) {
  const std::string ours =
      R"({"vaccineCode":{"coding":[{"system":"kfa","code":"1"},{"system":"cvx","code":"19"}]},
          "occurrenceDateTime":"2026-01-05T01:00:00+00:00","encounter":{"reference":"urn:uuid:e"}})";
  const auto theirs = [](std::string_view cvx, std::string_view at, std::string_view encounter) {
    return R"({"vaccineCode":{"coding":[{"system":"cvx","code":")" + std::string(cvx) +
           R"("}]},"occurrenceDateTime":")" + std::string(at) +
           R"(","encounter":{"reference":"Encounter/)" + std::string(encounter) + R"("}})";
  };
  EXPECT_TRUE(SameImmunization(ours, theirs("19", "2026-01-05T08:00:00+07:00", "E1"), "E1"));
  EXPECT_TRUE(SameImmunization(ours, theirs("19", "2026-01-05T01:00:00.000Z", "E1"), "E1"));
  EXPECT_FALSE(SameImmunization(ours, theirs("20", "2026-01-05T01:00:00Z", "E1"), "E1"));
  EXPECT_FALSE(SameImmunization(ours, theirs("19", "2026-01-05T01:00:01Z", "E1"), "E1"));
  EXPECT_FALSE(SameImmunization(ours, theirs("19", "2026-01-05T01:00:00Z", "E2"), "E1"));
  EXPECT_FALSE(SameImmunization(ours, theirs("19", "whenever", "E1"), "E1"));
}

TEST(QueriesFor, AsksByNikThenByMotherAndByNameOnlyWithoutBoth) {
  event::v1::Subject subject;
  subject.set_name("Siti");
  subject.set_birth_date("2024-01-02");
  subject.set_sex(event::v1::SEX_FEMALE);
  ASSERT_EQ(QueriesFor(subject).size(), 1u);
  EXPECT_EQ(QueriesFor(subject)[0].way, PatientQuery::Way::kPerson);
  subject.add_identities()->mutable_newborn()->set_mother_nik("1");
  subject.add_identities()->mutable_nik()->set_number("2");
  const auto queries = QueriesFor(subject);
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[0].way, PatientQuery::Way::kNik);
  EXPECT_EQ(queries[1].way, PatientQuery::Way::kMother);
  EXPECT_TRUE(QueriesFor({}).empty());
}

TEST(Choose, TellsSiblingsByBirthDateAndNeverGuessesBetweenTwins) {
  const PatientQuery query{PatientQuery::Way::kMother, "1", "2026-01-02", 2};
  using Kind = PatientChoice::Kind;
  EXPECT_EQ(Choose(query, {{"A", "2024-05-06"}, {"B", "2026-01-02"}}).id, "B");
  EXPECT_EQ(Choose(query, {{"A", "2026-01-02"}, {"B", "2026-01-02"}}).kind, Kind::kAmbiguous);
  EXPECT_EQ(Choose(query, {{"A", "2026-01-02", 1}, {"B", "2026-01-02", 2}}).id, "B");
  EXPECT_EQ(Choose(query, {{"A", "2024-05-06"}}).kind, Kind::kUnknown);
  EXPECT_EQ(Choose(query, {{"B", "2026-01-02"}, {"B", "2026-01-02"}}).kind, Kind::kFound);
}

TEST(EntriesOf, ReadsKeysAndUrlsInOrder) {
  const auto entries = EntriesOf(
      R"({"entry":[{"fullUrl":"urn:uuid:k1","request":{"method":"POST","url":"Encounter"}},
                   {"fullUrl":"urn:uuid:k2","request":{"method":"PUT","url":"Observation/o2"}}]})");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].key + entries[0].method + entries[0].resource_type, "k1POSTEncounter");
  EXPECT_EQ(entries[1].id, "o2");
}

}  // namespace
}  // namespace simpul::deliver
