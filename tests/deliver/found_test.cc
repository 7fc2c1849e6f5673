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

TEST(WasApplied, IsAsTheCallerWantsWhereNothingIsSaid) {
  EXPECT_TRUE(WasApplied(R"({"link":[]})", "name"));
  EXPECT_FALSE(WasApplied(R"({"link":[]})", "name", false));
  EXPECT_TRUE(
      WasApplied(R"({"link":[{"relation":"self","url":"http://x?name=a"}]})", "name", false));
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
  ASSERT_EQ(queries.size(), 3u);
  EXPECT_EQ(queries[0].way, PatientQuery::Way::kNik);
  EXPECT_EQ(queries[1].way, PatientQuery::Way::kMother);
  EXPECT_EQ(queries[2].way, PatientQuery::Way::kMotherAndName);
  EXPECT_EQ(queries[2].nik, "1");
  EXPECT_EQ(queries[2].name, "Siti");
  subject.clear_name();
  EXPECT_EQ(QueriesFor(subject).size(), 2u);
  EXPECT_TRUE(QueriesFor({}).empty());
}

TEST(Choose, TellsSiblingsByBirthDateAndNeverGuessesBetweenTwins) {
  using Kind = PatientChoice::Kind;
  const PatientQuery first{PatientQuery::Way::kMother, "1", "2026-01-02", 1};
  EXPECT_EQ(Choose(first, {{"A", "2024-05-06"}, {"B", "2026-01-02"}}).id, "B");
  EXPECT_EQ(Choose(first, {{"A", "2024-05-06"}}).kind, Kind::kUnknown);
  EXPECT_EQ(Choose(first, {{"B", "2026-01-02"}, {"B", "2026-01-02"}}).kind, Kind::kFound);
  const PatientQuery second{PatientQuery::Way::kMother, "1", "2026-01-02", 2};
  EXPECT_EQ(Choose(second, {{"A", "2026-01-02"}, {"B", "2026-01-02"}}).kind, Kind::kAmbiguous);
  EXPECT_EQ(Choose(second, {{"A", "2026-01-02", 1}, {"B", "2026-01-02", 2}}).id, "B");
  // The only one there may be the first.
  EXPECT_EQ(Choose(second, {{"A", "2026-01-02"}}).kind, Kind::kAmbiguous);
  EXPECT_EQ(Choose(second, {{"A", "2026-01-02", 1}}).kind, Kind::kUnknown);
  EXPECT_EQ(Choose(second, {{"A", "2024-05-06"}}).kind, Kind::kUnknown);
  PatientQuery named = second;
  named.way = PatientQuery::Way::kMotherAndName;
  EXPECT_EQ(Choose(named, {{"A", "2024-05-06"}, {"B", "2026-01-02"}}).id, "B");
  EXPECT_EQ(Choose(named, {{"A", "2026-01-02"}, {"B", "2026-01-02"}}).kind, Kind::kAmbiguous);
  EXPECT_EQ(Choose(named, {}).kind, Kind::kUnknown);
}

TEST(NextStepOf, AsksForTheNameOnlyWhereTheMotherDoesNotTell) {
  using Kind = PatientChoice::Kind;
  using Way = PatientQuery::Way;
  const std::vector<PatientQuery> queries = {{Way::kNik}, {Way::kMother}, {Way::kMotherAndName}};
  EXPECT_EQ(NextStepOf(queries, 0, Kind::kUnknown).next, 1u);
  EXPECT_EQ(NextStepOf(queries, 0, Kind::kAmbiguous).reason, "patient_ambiguous");
  EXPECT_EQ(NextStepOf(queries, 1, Kind::kAmbiguous).next, 2u);
  EXPECT_EQ(NextStepOf(queries, 1, Kind::kUnknown).next, std::nullopt);
  EXPECT_EQ(NextStepOf(queries, 1, Kind::kUnknown).reason, "patient_unknown");
  EXPECT_EQ(NextStepOf(queries, 2, Kind::kUnknown).reason, "patient_ambiguous");
  EXPECT_EQ(NextStepOf(queries, 2, Kind::kAmbiguous).reason, "patient_ambiguous");
  EXPECT_EQ(NextStepOf({{Way::kMother}}, 0, Kind::kAmbiguous).reason, "patient_ambiguous");
  EXPECT_EQ(NextStepOf(queries, 2, Kind::kFound).reason, "");
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
