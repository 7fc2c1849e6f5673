// simpul simulate: events on standard output, and the files that go with them.
#include "simpul/simulate.h"

#include <fmt/format.h>

#include <memory>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "lib/event/date.h"
#include "simpul/command.h"
#include "simpul/event_json.h"

namespace simpul::cli {
namespace {

namespace v1 = event::v1;

// Makes a good event one that must be refused, each time for another reason.
void Spoil(v1::Event& event, size_t way) {
  switch (way % 5) {
    case 0:
      event.mutable_visit()->set_weight_g(0);
      break;
    case 1:
      event.mutable_subject()->mutable_identities(0)->mutable_nik()->set_number("7324");
      break;
    case 2:
      event.mutable_occurred_at()->mutable_time()->set_seconds(4'102'444'800);  // 2100
      break;
    case 3:
      event.clear_subject();
      break;
    default:
      event.mutable_device()->set_id(event.subject().identities(0).nik().number());
      break;
  }
}

struct Options {
  Simulation simulation;
  std::string start;
  std::string directory, population, credentials;
};

int Run(Options options) {
  if (!options.start.empty()) {
    const auto day = event::ParseDay(options.start);
    if (!day) {
      Complain("simulate: --start: write a day as YYYY-MM-DD");
      return kWrongUse;
    }
    options.simulation.start = *day;
  }
  const auto write = [](const std::string& file, const std::string& content) {
    if (file.empty()) return true;
    const absl::Status written = base::WriteFileAtomically(file, content);
    if (!written.ok()) Complain(fmt::format("simulate: {}", base::Message(written)));
    return written.ok();
  };
  // The files first: what cannot be written is said before hours of events are.
  bool written = false;
  Simulate(
      options.simulation, [](const v1::Event& event, bool) { Print(EventLine(event)); },
      [&](const Village& village) {
        written = write(options.directory, DirectoryJson(village)) &&
                  write(options.population, PopulationJson(village)) &&
                  write(options.credentials, CredentialsJson(village));
        return written;
      });
  return written ? kDone : kFailed;
}

}  // namespace

Village Simulate(const Simulation& simulation,
                 const std::function<void(const v1::Event&, bool)>& take,
                 const std::function<bool(const Village&)>& begin) {
  Village village = MakeVillage(simulation.seed, simulation.patients, simulation.start);
  Outbox outbox(simulation.seed);
  Live(simulation.seed, village, simulation.start, simulation.days, outbox);
  outbox.ReuseIds(simulation.conflicts);
  if (begin && !begin(village)) return village;
  size_t spoilt = 0;
  outbox.ForEach([&](const v1::Event& event) {
    take(event, false);
    // After a good event of a kind that every way of spoiling fits.
    if (spoilt < simulation.refusals && event.has_visit() && event.visit().has_weight_g() &&
        event.subject().identities_size() > 0 && event.subject().identities(0).has_nik()) {
      v1::Event bad = event;
      bad.set_event_id(outbox.NextId());
      bad.set_visit_id(bad.visit_id() + "-x");
      Spoil(bad, spoilt++);
      take(bad, true);
    }
  });
  return village;
}

void AddSimulate(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Invent clinic months: events on standard output, the same for the same seed");
  command->add_option("--seed", options->simulation.seed, "What everything follows from")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 40))
      ->capture_default_str();
  command
      ->add_option("--patients", options->simulation.patients,
                   "People at the beginning; babies born meanwhile come on top")
      ->check(CLI::Range(size_t{1}, size_t{5'000'000}))
      ->capture_default_str();
  command->add_option("--days", options->simulation.days, "Days that are lived")
      ->check(CLI::Range(1, 3660))
      ->capture_default_str();
  command->add_option("--start", options->start, "First day, YYYY-MM-DD (default: 2025-01-06)");
  command->add_option("--directory", options->directory,
                      "File to write: the directory these events need");
  command->add_option("--population", options->population,
                      "File to write: the people the platform knows, for the sandbox");
  command->add_option("--credentials", options->credentials,
                      "File to write: a credential for each organisation");
  command
      ->add_option("--conflicts", options->simulation.conflicts,
                   "Events under an id used before with other content")
      ->capture_default_str();
  command
      ->add_option("--refusals", options->simulation.refusals,
                   "Events that must be refused, each for another reason")
      ->capture_default_str();
  command->callback([&chosen, options] { chosen.run = [options] { return Run(*options); }; });
}

}  // namespace simpul::cli
