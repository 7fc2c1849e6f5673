#include "simpul/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/event/date.h"
#include "lib/event/kind.h"
#include "lib/event/validate.h"
#include "lib/fhir/directory.h"
#include "simpul/output.h"

namespace simpul::cli {
namespace {

namespace v1 = event::v1;

// Long after everything that is simulated.
const base::Time kNow{std::chrono::sys_days(std::chrono::year(2027) / 1 / 1)};

Simulation Small(uint64_t seed) {
  Simulation simulation;
  simulation.seed = seed;
  simulation.patients = 150;
  simulation.days = 120;
  return simulation;
}

std::string Lines(const Simulation& simulation) {
  std::string lines;
  Simulate(simulation, [&](const v1::Event& event, bool) { lines += ToJson(event) + "\n"; });
  return lines;
}

TEST(Simulate, SaysTheSameForTheSameSeedAndOtherThingsForAnother) {
  const std::string lines = Lines(Small(7));
  EXPECT_GT(lines.size(), 100'000u);
  EXPECT_EQ(lines, Lines(Small(7)));
  EXPECT_NE(lines, Lines(Small(8)));
}

TEST(Simulate, WritesTheSameFilesForTheSameSeed) {
  const auto ignore = [](const v1::Event&, bool) {};
  const Village a = Simulate(Small(7), ignore);
  const Village b = Simulate(Small(7), ignore);
  EXPECT_EQ(DirectoryJson(a), DirectoryJson(b));
  EXPECT_EQ(PopulationJson(a), PopulationJson(b));
  EXPECT_EQ(CredentialsJson(a), CredentialsJson(b));
}

TEST(Simulate, MakesOnlyEventsThatAreAccepted) {
  for (const uint64_t seed : {1, 2, 3, 42, 1000}) {
    std::map<std::string, int> warnings;
    size_t count = 0;
    Simulate(Small(seed), [&](const v1::Event& event, bool) {
      ++count;
      const auto answer = event::Validate(event, kNow);
      const auto* refusal = std::get_if<event::Refusal>(&answer);
      ASSERT_EQ(refusal, nullptr) << "seed " << seed << ": "
                                  << event::KindName(uint32_t(event.payload_case())) << " "
                                  << refusal->violations.front().field << " "
                                  << refusal->violations.front().rule;
      for (const auto& warning : std::get<event::ValidEvent>(answer).warnings) {
        ++warnings[std::string(warning.rule)];
      }
    });
    EXPECT_GT(count, 500u);
    for (const auto& [rule, times] : warnings) {
      EXPECT_LT(times, static_cast<int>(count) / 10) << "seed " << seed << ": " << rule;
    }
  }
}

TEST(Simulate, MakesOnlyEventsThatMustBeRefusedWhenAskedTo) {
  Simulation simulation = Small(3);
  simulation.refusals = 5;
  std::set<std::string> rules;
  Simulate(simulation, [&](const v1::Event& event, bool is_refusal) {
    if (!is_refusal) return;
    const auto answer = event::Validate(event, kNow);
    const auto* refusal = std::get_if<event::Refusal>(&answer);
    ASSERT_NE(refusal, nullptr);
    rules.insert(std::string(refusal->violations.front().rule));
  });
  EXPECT_EQ(rules.size(), 5u);
}

TEST(Simulate, TellsOfEverythingThatHappensInAClinic) {
  Simulation simulation;
  simulation.seed = 5;
  simulation.patients = 1000;
  simulation.days = 365;
  simulation.conflicts = 3;
  std::map<std::string, int> kinds;
  std::map<std::string, std::set<std::string>> bytes_of_id;
  std::map<std::string, std::set<std::string>> subjects_of_id;
  std::map<std::string, std::set<uint32_t>> visits;
  std::set<std::string> seen, states, outcomes;
  size_t lines = 0, twice = 0, training = 0, twins = 0, two_identities = 0, newborns = 0;
  size_t amended_first = 0, shared_visits = 0;
  const Village village = Simulate(simulation, [&](const v1::Event& event, bool) {
    ++lines;
    const std::string bytes = event.SerializeAsString();
    const std::string patient = event.subject().identities(0).SerializeAsString();
    ++kinds[std::string(event::KindName(uint32_t(event.payload_case())))];
    if (!bytes_of_id[event.event_id() + patient].insert(bytes).second) ++twice;
    subjects_of_id[event.event_id()].insert(patient);
    if (event.purpose() == v1::PURPOSE_TRAINING) ++training;
    if (event.birth().babies_size() == 2) ++twins;
    if (event.subject().identities(0).has_newborn()) ++newborns;
    if (event.has_patient_registered() && event.subject().identities_size() >= 2 &&
        event.subject().identities(0).has_nik()) {
      ++two_identities;
    }
    if (event.has_referral()) states.insert(v1::ReferralState_Name(event.referral().state()));
    if (event.visit().has_home_visit()) {
      outcomes.insert(v1::HomeVisitOutcome_Name(event.visit().home_visit().outcome()));
    }
    if (!event.visit_id().empty()) {
      visits[event.visit_id()].insert(uint32_t(event.payload_case()));
    }
    const std::string original = event.has_correction() ? event.correction().original_event_id()
                                                        : event.retraction().original_event_id();
    if (!original.empty() && !seen.contains(original)) ++amended_first;
    seen.insert(event.event_id());
  });
  for (const char* kind :
       {"visit", "immunisation", "supplement", "lab_result", "screening", "referral", "pregnancy",
        "birth", "patient_registered", "patient_linked", "patient_unlinked", "patient_status",
        "consent", "restriction", "correction", "retraction"}) {
    EXPECT_GT(kinds[kind], 0) << kind;
  }
  EXPECT_GT(lines, 15'000u);
  EXPECT_LT(lines, 60'000u);
  EXPECT_GT(twice, lines / 100);
  EXPECT_GT(training, 0u);
  EXPECT_GT(twins, 0u);
  EXPECT_GT(newborns, 0u);
  EXPECT_GT(two_identities, 0u);
  EXPECT_GT(amended_first, 0u);
  EXPECT_GE(states.size(), 10u);
  EXPECT_EQ(outcomes.size(), 4u);
  for (const auto& [visit, visit_kinds] : visits) shared_visits += visit_kinds.size() > 1;
  EXPECT_GT(shared_visits, 100u);
  size_t under_two = 0, conflicts = 0;
  for (const auto& [id, subjects] : subjects_of_id) under_two += subjects.size() > 1;
  for (const auto& [id, contents] : bytes_of_id) conflicts += contents.size() > 1;
  EXPECT_EQ(under_two, 1u);
  EXPECT_EQ(conflicts, 3u);
  EXPECT_GT(village.people.size(), 1000u);
}

TEST(Simulate, PutsRightAndTakesBackWhatIsMoreThanAWeight) {
  Simulation simulation;
  simulation.seed = 5;
  simulation.patients = 1000;
  simulation.days = 365;
  std::map<std::string, v1::Event> originals;
  std::vector<v1::Event> amendments;
  Simulate(simulation, [&](const v1::Event& event, bool) {
    if (event.has_correction() || event.has_retraction()) {
      amendments.push_back(event);
    } else {
      originals.emplace(event.event_id(), event);
    }
  });
  std::map<std::string, int> corrected, retracted;
  for (const v1::Event& event : amendments) {
    const std::string& id = event.has_correction() ? event.correction().original_event_id()
                                                   : event.retraction().original_event_id();
    const v1::Event& original = originals.at(id);
    const std::string kind(event::KindName(uint32_t(original.payload_case())));
    ++(event.has_correction() ? corrected : retracted)[kind];
    if (!event.has_correction()) continue;
    const v1::Event& right = event.correction().replacement();
    EXPECT_EQ(right.payload_case(), original.payload_case());
    v1::Event but_for_time = right;
    *but_for_time.mutable_recorded_at() = original.recorded_at();
    EXPECT_NE(but_for_time.SerializeAsString(), original.SerializeAsString()) << kind;
    if (right.has_screening()) {
      const auto& answers = right.screening().answers();
      EXPECT_EQ(right.screening().score(),
                std::count_if(answers.begin(), answers.end(),
                              [](const v1::Answer& answer) { return answer.flag(); }));
    }
  }
  for (const char* kind : {"visit", "immunisation", "screening", "referral"}) {
    EXPECT_GT(corrected[kind], 0) << kind;
    EXPECT_GT(retracted[kind], 0) << kind;
  }
}

TEST(Simulate, LinksNewbornsToTheirNikAndUndoesWhatWasTheTwins) {
  Simulation simulation;
  simulation.seed = 5;
  simulation.patients = 1000;
  simulation.days = 365;
  std::map<std::string, v1::Event> links;
  std::vector<v1::Event> unlinks;
  const Village village = Simulate(simulation, [&](const v1::Event& event, bool) {
    if (event.has_patient_linked()) links.emplace(event.event_id(), event);
    if (event.has_patient_unlinked()) unlinks.push_back(event);
  });
  ASSERT_FALSE(unlinks.empty());
  EXPECT_GT(links.size(), 4 * unlinks.size());
  for (const v1::Event& unlink : unlinks) {
    const v1::Event& link = links.at(unlink.patient_unlinked().link_event_id());
    EXPECT_EQ(link.subject().identities(0).SerializeAsString(),
              unlink.subject().identities(0).SerializeAsString());
    EXPECT_LT(link.occurred_at().time().seconds(), unlink.occurred_at().time().seconds());
    links.erase(link.event_id());
  }
  std::map<std::string, const Person*> by_nik;
  for (const Person& person : village.people) by_nik[person.nik] = &person;
  for (const auto& [id, link] : links) {
    const v1::Newborn& newborn = link.subject().identities(0).newborn();
    const Person* child = by_nik.at(link.patient_linked().other().nik().number());
    EXPECT_EQ(child->mother_nik, newborn.mother_nik());
    EXPECT_EQ(event::FormatDay(child->born), newborn.birth_date());
    EXPECT_EQ(child->birth_order, static_cast<int>(newborn.birth_order()));
  }
}

TEST(Simulate, GivesEveryPersonTheirOwnNumberAndPlatformId) {
  const Village village = Simulate(Small(11), [](const v1::Event&, bool) {});
  std::set<std::string> niks, ids;
  size_t with_nik = 0;
  for (const Person& person : village.people) {
    ids.insert(person.platform_id);
    if (person.nik.empty()) continue;
    ++with_nik;
    niks.insert(person.nik);
  }
  EXPECT_EQ(ids.size(), village.people.size());
  EXPECT_EQ(niks.size(), with_nik);
}

TEST(Simulate, WritesADirectoryThatKnowsEveryFacilityUnitAndSession) {
  std::vector<v1::Event> events;
  const Village village =
      Simulate(Small(11), [&](const v1::Event& event, bool) { events.push_back(event); });
  const auto directory = fhir::Directory::Parse(DirectoryJson(village));
  ASSERT_TRUE(directory.ok()) << directory.status();
  for (const v1::Event& event : events) {
    ASSERT_NE(directory->Facility(event.facility()), nullptr);
    EXPECT_FALSE(directory->Location(event.facility(), event.unit()).empty());
    EXPECT_TRUE(directory
                    ->Practitioner(event.facility(), event.unit(), event.responsible(),
                                   event::FormatDay(event::LocalDay(event.occurred_at())))
                    .has_value());
  }
}

}  // namespace
}  // namespace simpul::cli
