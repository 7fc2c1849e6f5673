// simpul rules: the versions of the rules, since when each is active, what of it is off; and
// activates one from a day on.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/text.h"
#include "simpul/client_rpc.h"
#include "simpul/command.h"

namespace simpul::cli {
namespace {

using timeline::v1::ActivateRulesRequest;
using timeline::v1::ActivateRulesResponse;
using timeline::v1::ListRulesResponse;
using timeline::v1::OffRule;
using timeline::v1::RuleActivation;
using timeline::v1::RuleChange;
using timeline::v1::RuleSet;

constexpr std::string_view kList = "list";
constexpr std::string_view kActivate = "activate";

struct Options {
  Door door;
  std::string action;
  std::string version;
  std::string from;
  std::string by;
  bool dry_run = false;
};

template <typename Numbers>
std::string ListJson(const Numbers& numbers) {
  return fmt::format("[{}]", fmt::join(numbers.begin(), numbers.end(), ","));
}

void PrintJson(const RuleSet& set, const ListRulesResponse& listed) {
  std::vector<std::string> activations;
  for (const RuleActivation& one : set.activations()) {
    activations.push_back(JsonLine()
                              .Text("from", one.from())
                              .Text("activation_id", one.activation_id())
                              .Count("partitions", one.partitions())
                              .Raw("missing", ListJson(one.missing()))
                              .Take());
  }
  std::vector<std::string> off;
  for (const OffRule& rule : set.off()) {
    off.push_back(JsonLine()
                      .Text("family", rule.family())
                      .Text("rule", rule.rule())
                      .Text("why", rule.why())
                      .Take());
  }
  Print(JsonLine()
            .Count("version", set.version())
            .Text("what", set.what())
            .Text("source", set.source())
            .Raw("families", JsonLine()
                                 .Count("growth", set.growth())
                                 .Count("kms", set.kms())
                                 .Count("screening", set.screening())
                                 .Count("schedule", set.schedule())
                                 .Count("referral", set.referral())
                                 .Take())
            .RawList("activations", activations)
            .RawList("off", off)
            .Count("partitions", listed.partitions())
            .Raw("unheard", ListJson(listed.unheard()))
            .Take());
}

// "active from 2026-12-10", and where it is half made.
std::string ActiveText(const RuleSet& set, const ListRulesResponse& listed) {
  std::string text = set.version() == 1 ? "active where no other is" : "";
  for (const RuleActivation& one : set.activations()) {
    if (!text.empty()) text += "; ";
    text += fmt::format("active from {}", one.from());
    if (one.partitions() < listed.partitions()) {
      text += fmt::format(" in {} of {} partitions", one.partitions(), listed.partitions());
    }
  }
  return text.empty() ? "not active" : text;
}

void PrintForPeople(const ListRulesResponse& listed) {
  for (const RuleSet& set : listed.rule_sets()) {
    Print(fmt::format("Version {}: {}\n  {}\n  Source: {}", set.version(), ActiveText(set, listed),
                      set.what(), set.source()));
  }
  for (const RuleSet& set : listed.rule_sets()) {
    for (const RuleActivation& one : set.activations()) {
      if (one.missing().empty()) continue;
      Print(
          fmt::format("Version {} from {} is half made, or not read everywhere yet. To complete "
                      "it: simpul rules activate {} --from {}",
                      set.version(), one.from(), set.version(), one.from()));
    }
  }
  Print("\nWhat is off, and why:");
  Table off({"FAMILY", "RULE", "VERSIONS", "WHY"});
  std::vector<std::string> shown;
  for (const RuleSet& set : listed.rule_sets()) {
    for (const OffRule& rule : set.off()) {
      const std::string key = rule.family() + "/" + rule.rule() + "/" + rule.why();
      if (std::find(shown.begin(), shown.end(), key) != shown.end()) continue;
      shown.push_back(key);
      std::vector<uint32_t> in;
      for (const RuleSet& other : listed.rule_sets()) {
        for (const OffRule& same : other.off()) {
          if (same.family() == rule.family() && same.rule() == rule.rule() &&
              same.why() == rule.why()) {
            in.push_back(other.version());
          }
        }
      }
      off.Row({rule.family(), rule.rule(), fmt::format("{}", fmt::join(in, ", ")), rule.why()});
    }
  }
  Print(off.Text());
}

int List(const Options& options) {
  Client client(options.door.to);
  ListRulesResponse listed;
  if (const auto called = client.ListRules(listed, std::chrono::seconds(30)); !called.ok()) {
    Complain("rules: " + Explain(called, options.door.to));
    return ExitOf(called);
  }
  if (options.door.json) {
    for (const RuleSet& set : listed.rule_sets()) PrintJson(set, listed);
  } else {
    PrintForPeople(listed);
  }
  for (const auto& absent : listed.absent()) {
    Complain(
        fmt::format("rules: replica {} did not answer ({})", absent.replica(), absent.reason()));
  }
  if (listed.unheard().empty()) return kDone;
  Complain(fmt::format("rules: nobody said what is active in partitions {}",
                       fmt::join(listed.unheard().begin(), listed.unheard().end(), ", ")));
  return kFailed;
}

std::string ChangeJson(const RuleChange& change) {
  return JsonLine()
      .Text("family", change.family())
      .Text("rule", change.rule())
      .Count("before_version", change.before_version())
      .Text("before", change.before())
      .Text("after", change.after())
      .Take();
}

void PrintForPeople(const Options& options, const ActivateRulesRequest& request,
                    const ActivateRulesResponse& response) {
  const int partitions = response.recorded_size() + static_cast<int>(response.before());
  const std::string which = fmt::format("Version {} from {}", request.version(), request.from());
  if (response.recorded().empty()) {
    Print(fmt::format("{} had been activated before, in all {} partitions.", which, partitions));
    return;
  }
  Print(fmt::format("{} {} in {} of {} partitions{}.", which,
                    options.dry_run ? "would be recorded" : "is activated: it was recorded",
                    response.recorded_size(), partitions,
                    response.before() > 0 ? ", and was there in the others" : ""));
  if (options.dry_run) {
    Print(fmt::format("The partitions: {}",
                      fmt::join(response.recorded().begin(), response.recorded().end(), ", ")));
  }
  if (response.changes().empty()) Print("No rule is otherwise than it would be without.");
  for (const RuleChange& change : response.changes()) {
    Print(fmt::format("{} {}\n  version {}: {}\n  version {}: {}", change.family(), change.rule(),
                      change.before_version(), change.before(), request.version(), change.after()));
  }
  if (!response.behind().empty()) {
    Print(fmt::format("Timeline replicas that have yet to read it: {}",
                      fmt::join(response.behind().begin(), response.behind().end(), ", ")));
  }
}

int Activate(const Options& options) {
  const auto version = base::ReadNumber<uint32_t>(options.version);
  if (!version.has_value()) {
    Complain("rules: activate: name the VERSION, a number that 'simpul rules list' shows");
    return kWrongUse;
  }
  if (options.from.empty()) {
    Complain("rules: activate: give the first day it holds, --from YYYY-MM-DD");
    return kWrongUse;
  }
  ActivateRulesRequest request;
  request.set_version(*version);
  request.set_from(options.from);
  request.set_by(options.by.empty() ? UserName() : options.by);
  request.set_dry_run(options.dry_run);
  Client client(options.door.to);
  ActivateRulesResponse response;
  if (const auto called = client.ActivateRules(request, response, std::chrono::seconds(60));
      !called.ok()) {
    Complain("rules: " + Explain(called, options.door.to));
    return ExitOf(called);
  }
  if (!options.door.json) {
    PrintForPeople(options, request, response);
    return kDone;
  }
  std::vector<std::string> changes;
  for (const RuleChange& change : response.changes()) changes.push_back(ChangeJson(change));
  Print(JsonLine()
            .Count("version", request.version())
            .Text("from", request.from())
            .Text("activation_id", response.activation_id())
            .Flag("dry_run", options.dry_run)
            .Raw("recorded", ListJson(response.recorded()))
            .Count("before", response.before())
            .RawList("changes", changes)
            .Raw("behind", ListJson(response.behind()))
            .Take());
  return kDone;
}

int Rules(const Options& options) {
  if (options.action == kActivate) return Activate(options);
  if (!options.version.empty() || !options.from.empty() || !options.by.empty() || options.dry_run) {
    Complain("rules: VERSION, --from, --by and --dry-run go with activate");
    return kWrongUse;
  }
  return List(options);
}

}  // namespace

void AddRules(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "rules",
      "List the versions of the rules and what is off, or activate one from a day on; asked of a "
      "timeline replica");
  AddDoor(*command, options->door);
  command
      ->add_option("ACTION", options->action,
                   "activate: from a day on a version holds; safe to repeat, completes what was "
                   "cut off. list, or nothing: show")
      ->check(CLI::IsMember({std::string(kList), std::string(kActivate)}));
  command->add_option("VERSION", options->version, "To activate: which");
  command->add_option("--from", options->from,
                      "To activate: the first day it holds, YYYY-MM-DD, at least two days ahead");
  command->add_option("--by", options->by, "To activate: who; else the user's name here");
  command->add_flag("--dry-run", options->dry_run,
                    "To activate: only say what would be recorded, and which rules change");
  command->callback([&chosen, options] { chosen.run = [options] { return Rules(*options); }; });
}

}  // namespace simpul::cli
