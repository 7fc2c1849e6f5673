// What goes out, byte for byte. tests/data/fhir/<name>.json are whole Bundles, outcomes.txt says
// what became of each case. SIMPUL_WRITE_GOLDEN=1 writes them anew: look at the difference.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "lib/base/check.h"
#include "lib/fhir/map.h"
#include "tests/fhir/entries.h"
#include "tests/support/sample_events.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;
using testing::SampleNamed;

// Keeps numbers as they are written.
class PrettyText : public rapidjson::PrettyWriter<rapidjson::StringBuffer> {
 public:
  using PrettyWriter::PrettyWriter;
  bool RawNumber(const char* digits, rapidjson::SizeType size, bool) {
    return RawValue(digits, size, rapidjson::kNumberType);
  }
};

std::string Pretty(const std::string& json) {
  rapidjson::StringBuffer buffer;
  PrettyText writer(buffer);
  writer.SetIndent(' ', 2);
  rapidjson::Reader reader;
  rapidjson::StringStream stream(json.c_str());
  SIMPUL_CHECK(reader.Parse<rapidjson::kParseNumbersAsStringsFlag>(stream, writer),
               "A bundle is no JSON.");
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::filesystem::path GoldenFolder() {
  const char* source = std::getenv("SIMPUL_SOURCE_DIR");
  SIMPUL_CHECK(source != nullptr, "SIMPUL_SOURCE_DIR is not set: run this through ctest.");
  return std::filesystem::path(source) / "tests" / "data" / "fhir";
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// One case: a Bundle (or none) and what is said of it.
struct Golden {
  std::string name;
  std::string bundle;  // empty where nothing is sent
  std::string outcome;
};

std::string Outcome(const MapResult& result) {
  if (const auto* not_sent = std::get_if<NotSent>(&result)) return "not sent: " + not_sent->reason;
  if (const auto* needs = std::get_if<NeedsDirectory>(&result)) {
    return "needs the directory: " + needs->reason;
  }
  const auto& mapped = std::get<Mapped>(result);
  return fmt::format(
      "{} parts; unmapped: {}", mapped.parts.size(),
      mapped.unmapped.empty() ? "nothing" : fmt::format("{}", fmt::join(mapped.unmapped, ", ")));
}

using Known = std::map<std::string, KnownPart>;

Golden Sent(std::string name, const timeline::v1::Entry& entry, const Directory& directory,
            const Known& known = {}) {
  const MapResult result = Map(entry, directory, {"P02478375538"});
  Golden golden{std::move(name), "", Outcome(result)};
  if (const auto* mapped = std::get_if<Mapped>(&result)) {
    golden.bundle = Pretty(TransactionBundle(*mapped, known));
  }
  return golden;
}

Golden Pulled(std::string name, const timeline::v1::Entry& entry, const Directory& directory) {
  const MapResult result = Map(entry, directory, {}, {.naming = Naming::kIdentifiers});
  Golden golden{std::move(name), "", Outcome(result)};
  if (const auto* mapped = std::get_if<Mapped>(&result)) {
    golden.bundle = Pretty(CollectionBundle(*mapped));
  }
  return golden;
}

// As after a first delivery: every part has a platform id.
Known Delivered(const timeline::v1::Entry& entry) {
  Known known;
  int n = 0;
  for (const Part& part : MappedOf(entry).parts) {
    known[part.key] = {part.resource_type, fmt::format("9f1c5a40-0000-4000-8000-{:012}", ++n),
                       part.json};
  }
  return known;
}

v1::Event WithDiagnosisByKader(v1::Event event) {
  v1::Diagnosis* diagnosis = event.mutable_visit()->add_diagnoses();
  diagnosis->mutable_code()->set_system("http://hl7.org/fhir/sid/icd-10");
  diagnosis->mutable_code()->set_code("A15.0");
  return event;
}

v1::Event OnlyTheDayKnown(v1::Event event) {
  event.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_DAY);
  return event;
}

v1::Event Reclassed(v1::Event event, v1::EncounterClass encounter_class) {
  event.mutable_visit()->set_encounter_class(encounter_class);
  return event;
}

v1::Event AnsweredForByAStranger(v1::Event event) {
  event.mutable_responsible()->set_nik("7324020101800009");
  return event;
}

v1::Event LongAgo(v1::Event event) {
  event.mutable_occurred_at()->mutable_time()->set_seconds(1'401'753'599);
  return event;
}

v1::Event VitaminAReported(v1::Event event) {
  event.mutable_supplement()->set_status(v1::DOSE_STATUS_REPORTED);
  event.mutable_supplement()->set_kfa_code("93000111");
  return event;
}

v1::Event OedemaAndOddities(v1::Event event) {
  v1::Visit* visit = event.mutable_visit();
  visit->set_oedema(v1::OEDEMA_MODERATE);
  visit->set_ordinal("KN2");
  v1::CodedObservation* ours = visit->add_observations();
  ours->mutable_code()->set_system("urn:posyandu:form");
  ours->mutable_code()->set_code("X99");
  ours->set_flag(true);
  v1::CodedObservation* odd_unit = visit->add_observations();
  odd_unit->mutable_code()->set_system("http://loinc.org");
  odd_unit->mutable_code()->set_code("2345-7");
  odd_unit->mutable_quantity()->set_value("104");
  odd_unit->mutable_quantity()->set_unit("mg per dl");
  visit->add_complaints()->set_text("Rewel");
  return event;
}

v1::Event ReferralInState(v1::Event event, uint64_t id, v1::ReferralState state) {
  event.set_event_id(testing::SampleEventId(id));
  event.mutable_referral()->set_state(state);
  return event;
}

v1::Event AskedFor(v1::Event event, std::string_view questionnaire) {
  event.mutable_screening()->set_platform_questionnaire(std::string(questionnaire));
  return event;
}

timeline::v1::GrowthScore Scored(int32_t z_hundredths, std::string_view growth_class,
                                 std::string_view flag = "") {
  timeline::v1::GrowthScore score;
  score.set_z_hundredths(z_hundredths);
  score.set_growth_class(std::string(growth_class));
  score.set_flag(std::string(flag));
  return score;
}

// What the rules say of the growth visit: its head is flagged.
timeline::v1::Entry WithGrowth(timeline::v1::Entry entry) {
  timeline::v1::MeasuredGrowth& growth = *entry.mutable_derived()->add_growth();
  *growth.mutable_weight_for_age() = Scored(-57, "normal");
  *growth.mutable_length_height_for_age() = Scored(-205, "pendek");
  *growth.mutable_weight_for_length_height() = Scored(31, "gizi_baik");
  *growth.mutable_bmi_for_age() = Scored(44, "gizi_baik");
  *growth.mutable_head_circumference_for_age() = Scored(512, "makrosefali", "implausible");
  *growth.mutable_muac_for_age() = Scored(-20, "lila_hijau");
  growth.set_length_used_mm(842);
  growth.set_bmi_hundredths(1474);
  growth.set_nutritional_status("gizi_baik");
  growth.set_nutritional_status_from("weight_for_length_height");
  growth.mutable_card()->set_usable(true);
  growth.mutable_card()->set_status("N");
  timeline::v1::Screened& fever = *entry.mutable_derived()->add_screened();
  fever.set_input("temperature");
  fever.set_rule("fever");
  fever.set_screening_class("no_fever");
  fever.set_result(v1::SCREENING_RESULT_NORMAL);
  fever.set_level("routine");
  return entry;
}

// A late weighing turned N to T; the head was measured again; the weight is now flagged.
timeline::v1::Entry WithGrowthAfterwards(timeline::v1::Entry entry) {
  entry = WithGrowth(std::move(entry));
  timeline::v1::MeasuredGrowth& growth = *entry.mutable_derived()->mutable_growth(0);
  *growth.mutable_head_circumference_for_age() = Scored(12, "normal");
  growth.mutable_weight_for_age()->set_flag("implausible");
  growth.mutable_card()->set_status("T");
  growth.mutable_card()->set_two_t(true);
  return entry;
}

// 146/88: of the grade, and isolated. The words of a kader name neither.
timeline::v1::Entry WithPressure(timeline::v1::Entry entry, bool by_kader) {
  for (const auto& [rule, word] : {std::pair("blood_pressure_adult", "ht_1"),
                                   std::pair("isolated_systolic", "isolated_systolic")}) {
    timeline::v1::Screened& row = *entry.mutable_derived()->add_screened();
    row.set_input("blood_pressure");
    row.set_rule(rule);
    row.set_screening_class(by_kader ? "needs_check" : word);
    row.set_result(by_kader ? v1::SCREENING_RESULT_NEEDS_CHECK : v1::SCREENING_RESULT_ABNORMAL);
    row.set_level("puskesmas");
  }
  return entry;
}

v1::Event ByNurse(v1::Event event) {
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_NURSE);
  return event;
}

std::vector<Golden> AllCases() {
  const Directory directory = TestDirectory();
  const auto sample = [](std::string_view name) { return SampleNamed(name); };
  const auto visit = [&](const std::vector<std::string_view>& names) {
    std::vector<v1::Event> events;
    for (std::string_view name : names) events.push_back(SampleNamed(name));
    return EntryOf(events);
  };
  std::vector<Golden> all;
  const auto sent = [&](std::string name, const timeline::v1::Entry& entry,
                        const Known& known = {}) {
    all.push_back(Sent(std::move(name), entry, directory, known));
  };

  // Each payload kind.
  sent("weighing", visit({"weighing"}));
  const auto posyandu_day = visit({"growth_visit", "vitamin_a", "immunisation_given"});
  sent("posyandu_day", posyandu_day);
  const auto outpatient = visit({"outpatient_visit", "immunisation_not_given", "medicine"});
  sent("outpatient_visit", outpatient);
  sent("antenatal_visit", visit({"antenatal_visit", "iron_tablets", "lab_quantity", "lab_coded"}));
  sent("elder_visit", visit({"elder_visit"}));
  sent("home_visit_done", visit({"home_visit_done"}));
  sent("emergency_visit", visit({"traveller_visit"}));
  sent("newborn_visit", visit({"newborn_visit"}));
  sent("immunisation_reported", visit({"immunisation_reported"}));
  sent("mental_screening", visit({"mental_screening"}));
  sent("tuberculosis_screening", visit({"tuberculosis_screening"}));
  sent("elder_screening", visit({"elder_screening"}));
  sent("elder_screening_form", EntryOf({AskedFor(sample("elder_screening"), "Q0042")}));
  sent("twin_birth", visit({"twin_birth"}));
  sent("pregnancy_opened", visit({"pregnancy_opened"}));
  sent("pregnancy_closed", visit({"pregnancy_opened", "pregnancy_closed"}));
  sent("referral_sent", visit({"referral_sent"}));
  sent("referral_accepted", visit({"referral_sent", "referral_accepted"}));
  sent("referral_back", visit({"referral_sent", "referral_accepted", "referral_back"}));
  sent("referral_cancelled",
       EntryOf({sample("referral_sent"),
                ReferralInState(sample("referral_sent"), 90, v1::REFERRAL_STATE_CANCELLED)}));
  sent("vitamin_a_reported", EntryOf({VitaminAReported(sample("vitamin_a"))}));

  // What it is made of differs.
  sent("kader_diagnosis", EntryOf({WithDiagnosisByKader(sample("growth_visit"))}));
  sent("day_only", EntryOf({OnlyTheDayKnown(sample("weighing"))}));
  sent("inpatient_visit",
       EntryOf({Reclassed(sample("outpatient_visit"), v1::ENCOUNTER_CLASS_INPATIENT)}));
  sent("observation_visit",
       EntryOf({Reclassed(sample("traveller_visit"), v1::ENCOUNTER_CLASS_OBSERVATION)}));
  sent("oddities", EntryOf({OedemaAndOddities(sample("weighing"))}));

  // What the rules derived.
  sent("posyandu_day_derived", WithGrowth(posyandu_day));
  sent("posyandu_day_derived_again", WithGrowthAfterwards(posyandu_day),
       Delivered(WithGrowth(posyandu_day)));
  sent("elder_visit_derived", WithPressure(visit({"elder_visit"}), true));
  sent("elder_visit_derived_by_nurse",
       WithPressure(EntryOf({ByNurse(sample("elder_visit"))}), false));

  // Revisions.
  const auto corrected =
      visit({"growth_visit", "vitamin_a", "immunisation_given", "weighing_corrected"});
  sent("posyandu_day_corrected", corrected, Delivered(posyandu_day));
  auto dose_taken_back = posyandu_day;
  dose_taken_back.mutable_members(2)->set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  sent("posyandu_day_dose_taken_back", dose_taken_back, Delivered(posyandu_day));
  auto withdrawn = outpatient;
  withdrawn.set_withdrawn(true);
  for (auto& member : *withdrawn.mutable_members()) {
    member.set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  }
  sent("outpatient_visit_withdrawn", withdrawn, Delivered(outpatient));
  sent("immunisation_retracted", visit({"immunisation_reported", "immunisation_retracted"}),
       Delivered(visit({"immunisation_reported"})));
  sent("referral_back_after_sent", visit({"referral_sent", "referral_accepted", "referral_back"}),
       Delivered(visit({"referral_sent"})));
  const auto screened = EntryOf({AskedFor(sample("elder_screening"), "Q0042")});
  auto screening_withdrawn = screened;
  screening_withdrawn.set_withdrawn(true);
  screening_withdrawn.mutable_members(0)->set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  sent("elder_screening_withdrawn", screening_withdrawn, Delivered(screened));

  // Pulled.
  all.push_back(Pulled("pulled_posyandu_day", posyandu_day, directory));
  all.push_back(Pulled("pulled_newborn_visit", visit({"newborn_visit"}), directory));
  all.push_back(Pulled("pulled_emergency_visit", visit({"traveller_visit"}), directory));
  all.push_back(Pulled("pulled_referral", visit({"referral_sent"}), directory));
  all.push_back(Pulled("pulled_practitioner_unknown",
                       EntryOf({AnsweredForByAStranger(sample("weighing"))}), directory));

  // Not sent.
  sent("practitioner_unknown", EntryOf({AnsweredForByAStranger(sample("weighing"))}));
  all.push_back(Sent("facility_unknown", visit({"weighing"}), Directory()));
  sent("training_visit", visit({"training_visit"}));
  sent("referral_proposed", visit({"referral_proposed"}));
  sent("referral_accepted_first", visit({"referral_accepted"}));
  sent("home_visit_refused", visit({"home_visit_refused"}));
  sent("before_platform", EntryOf({LongAgo(sample("weighing"))}));
  for (std::string_view name : {"child_registered", "newborn_linked", "newborn_unlinked",
                                "moved_away", "consent_given", "sharing_restricted"}) {
    sent(std::string(name), visit({name}));
  }
  return all;
}

TEST(Golden, EveryBundleIsAsWrittenDown) {
  const std::filesystem::path folder = GoldenFolder();
  const bool write = std::getenv("SIMPUL_WRITE_GOLDEN") != nullptr;
  std::string outcomes;
  std::set<std::string> files;
  for (const Golden& golden : AllCases()) {
    outcomes += golden.name + ": " + golden.outcome + "\n";
    if (golden.bundle.empty()) continue;
    const std::string file = golden.name + ".json";
    EXPECT_TRUE(files.insert(file).second) << file << " is written twice";
    if (write) std::ofstream(folder / file, std::ios::binary) << golden.bundle;
    EXPECT_EQ(ReadFile(folder / file), golden.bundle) << file;
  }
  if (write) std::ofstream(folder / "outcomes.txt", std::ios::binary) << outcomes;
  EXPECT_EQ(ReadFile(folder / "outcomes.txt"), outcomes);
  for (const auto& found : std::filesystem::directory_iterator(folder)) {
    const std::string file = found.path().filename();
    EXPECT_TRUE(file == "outcomes.txt" || files.contains(file)) << file << " belongs to no case";
  }
}

TEST(Golden, TheSameEntryGivesTheSameBytes) {
  const auto first = AllCases();
  const auto second = AllCases();
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].bundle, second[i].bundle);
}

}  // namespace
}  // namespace simpul::fhir
