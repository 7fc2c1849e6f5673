#include "lib/fhir/directory.h"

#include <gtest/gtest.h>

#include "lib/base/status_macros.h"
#include "tests/fhir/entries.h"
#include "tests/support/sample_events.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

v1::Facility FacilityOf(std::string_view system, std::string_view code) {
  v1::Facility facility;
  facility.set_system(std::string(system));
  facility.set_code(std::string(code));
  return facility;
}

v1::Unit UnitOf(std::string_view code) {
  v1::Unit unit;
  unit.set_code(std::string(code));
  return unit;
}

std::string Refusal(std::string_view json) {
  const auto directory = Directory::Parse(json);
  EXPECT_FALSE(directory.ok());
  EXPECT_EQ(directory.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(base::Message(directory.status()));
}

TEST(Directory, RefusesWhatIsNestedWithoutEnd) {
  for (const char* piece : {"[", "{\"facilities\":"}) {
    std::string nested;
    while (nested.size() < 2'000'000) nested += piece;
    EXPECT_EQ(Directory::Parse(nested).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(Directory, KnowsAFacilityByAnyOfItsCodes) {
  const Directory directory = TestDirectory();
  const FacilityRow* row = directory.Facility(FacilityOf("kemenkes", "P7324020101"));
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->organization, "100027469");
  EXPECT_EQ(row->name, "Puskesmas Nuha");
  EXPECT_EQ(directory.Facility(FacilityOf("satusehat", "100027469")), row);
  EXPECT_EQ(directory.Facility(FacilityOf("bpjs", "100027469")), nullptr);
  EXPECT_EQ(directory.Facility(FacilityOf("kemenkes", "P0")), nullptr);
  EXPECT_EQ(directory.Organizations(), (std::vector<std::string>{"100011111", "100027469"}));
}

TEST(Directory, PlacesAUnitAtItsOwnLocationElseAtItsFacilitys) {
  const Directory directory = TestDirectory();
  const v1::Facility puskesmas = testing::SamplePuskesmas();
  EXPECT_EQ(directory.Location(puskesmas, UnitOf("MLT3")), "ef011065-38c9-46f8-9c35-d1fe68966a3e");
  EXPECT_EQ(directory.UnitName(puskesmas, UnitOf("MLT3")), "Posyandu Melati 3");
  EXPECT_EQ(directory.Location(puskesmas, UnitOf("KIA")), "b017aa54-f1df-4ec2-9d84-8823815d7228");
  EXPECT_EQ(directory.UnitName(puskesmas, UnitOf("KIA")), "Puskesmas Nuha");
  EXPECT_EQ(directory.Location(FacilityOf("kemenkes", "P0"), UnitOf("MLT3")), "");
}

TEST(Directory, UsesADefaultPractitionerOnlyWhereNobodyIsNamed) {
  const Directory directory = TestDirectory();
  const v1::Facility puskesmas = testing::SamplePuskesmas();
  v1::Responsible nobody, by_id, by_nik, stranger;
  by_id.set_practitioner_id("10000000001");
  by_nik.set_nik("7324025203890003");
  stranger.set_nik("7324020101800009");
  const auto who = [&](const v1::Responsible& responsible, std::string_view unit,
                       std::string_view day) {
    return directory.Practitioner(puskesmas, UnitOf(unit), responsible, day);
  };
  EXPECT_EQ(who(by_id, "MLT3", "2026-02-03"), "10000000001");
  EXPECT_EQ(who(by_nik, "MLT3", "2026-02-03"), "10009880728");
  EXPECT_EQ(who(stranger, "MLT3", "2026-02-03"), std::nullopt);
  EXPECT_EQ(who(nobody, "MLT3", "2026-02-03"), "10001354453");
  EXPECT_EQ(who(nobody, "MLT3", "2023-12-31"), "10009880728");  // before its own default began
  EXPECT_EQ(who(nobody, "KIA", "2026-02-03"), "10009880728");
  EXPECT_EQ(directory.PractitionerName("10009880728"), "Bidan Uji Contoh");
  EXPECT_EQ(directory.PractitionerName("10000000001"), "");
}

TEST(Directory, TakesTheLatestOfSeveralDefaultsAndNoneThatEnded) {
  const auto directory = Directory::Parse(R"({
    "facilities": [{"codes": [{"system": "a", "code": "1"}], "organization": "1"}],
    "defaults": [
      {"facility": {"system": "a", "code": "1"}, "practitioner_id": "old", "until": "2025-01-01"},
      {"facility": {"system": "a", "code": "1"}, "practitioner_id": "new", "from": "2025-06-01"},
      {"facility": {"system": "a", "code": "1"}, "practitioner_id": "newer",
       "from": "2026-01-01"}]})");
  ASSERT_TRUE(directory.ok()) << directory.status();
  const auto on = [&](std::string_view day) {
    return directory->Practitioner(FacilityOf("a", "1"), {}, {}, day);
  };
  EXPECT_EQ(on("2024-12-31"), "old");
  EXPECT_EQ(on("2025-01-01"), std::nullopt);
  EXPECT_EQ(on("2025-06-01"), "new");
  EXPECT_EQ(on("2026-03-01"), "newer");
}

TEST(Directory, FollowsSendsThroughToTheOrganisationThatSends) {
  const auto directory = Directory::Parse(R"({"facilities": [
    {"codes": [{"system": "a", "code": "1"}], "sends_through": {"system": "a", "code": "2"}},
    {"codes": [{"system": "a", "code": "2"}], "sends_through": {"system": "a", "code": "3"}},
    {"codes": [{"system": "a", "code": "3"}], "organization": "100", "location": "L3"}]})");
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ(directory->Facility(FacilityOf("a", "1"))->organization, "100");
  EXPECT_EQ(directory->Facility(FacilityOf("a", "1"))->location, "L3");
}

TEST(Directory, RefusesWithThePlace) {
  EXPECT_EQ(Refusal("{\n  \"facilities\": [,]\n}"),
            "directory: line 2, column 18: no JSON: Invalid value.");
  EXPECT_EQ(Refusal("[]"), "directory: the file: must be one JSON object");
  EXPECT_EQ(Refusal(R"({"units": {}})"), "directory: units: must be a list");
  EXPECT_EQ(Refusal(R"({"facilities": [{"organization": "1"}]})"),
            "directory: facilities[0]: \"codes\" must be a list with at least one code");
  EXPECT_EQ(Refusal(R"({"facilities": [{"codes": [{"system": "a", "code": 1}],
                                        "organization": "1"}]})"),
            "directory: facilities[0].codes[0]: \"code\" must be text");
  EXPECT_EQ(Refusal(R"({"facilities": [{"codes": [{"system": "a", "code": "1"}]}]})"),
            "directory: facilities[0]: needs either \"organization\" or \"sends_through\"");
  EXPECT_EQ(Refusal(R"({"facilities": [
              {"codes": [{"system": "a", "code": "1"}], "organization": "1"},
              {"codes": [{"system": "a", "code": "1"}], "organization": "2"}]})"),
            "directory: facilities[1].codes[0]: this code is used twice");
  EXPECT_EQ(Refusal(R"({"facilities": [
              {"codes": [{"system": "a", "code": "1"}],
               "sends_through": {"system": "a", "code": "2"}},
              {"codes": [{"system": "a", "code": "2"}],
               "sends_through": {"system": "a", "code": "1"}}]})"),
            "directory: facilities[0].sends_through: leads back to the facility itself");
  EXPECT_EQ(Refusal(R"({"units": [{"facility": {"system": "a", "code": "1"}, "code": "U"}]})"),
            "directory: units[0].facility: no facility of this file has that system and code");
  EXPECT_EQ(Refusal(R"({"facilities": [{"codes": [{"system": "a", "code": "1"}],
                                        "organization": "1"}],
              "defaults": [{"facility": {"system": "a", "code": "1"}, "practitioner_id": "p",
                            "from": "2026-13-01"}]})"),
            "directory: defaults[0]: \"from\" must be a day like 2026-01-31");
}

TEST(Directory, NeverRepeatsAPersonsNumber) {
  EXPECT_EQ(Refusal(R"({"practitioners": [{"practitioner_id": "1", "nik": "732402520389000"}]})"),
            "directory: practitioners[0]: \"nik\" must be 16 digits");
  EXPECT_EQ(Refusal(R"({"practitioners": [
              {"practitioner_id": "1", "nik": "7324025203890003"},
              {"practitioner_id": "2", "nik": "7324025203890003"}]})"),
            "directory: practitioners[1]: this \"nik\" stands here twice");
}

TEST(Directory, IgnoresMembersOfLaterUse) {
  EXPECT_TRUE(Directory::Parse(R"({"version": 3, "facilities": [
    {"codes": [{"system": "a", "code": "1"}], "organization": "1", "active_from": "2024-01-01"}]})")
                  .ok());
}

}  // namespace
}  // namespace simpul::fhir
