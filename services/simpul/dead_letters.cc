// simpul dead-letters: what could not be processed, is held or refused, or waits for its original;
// and leaves out an event that ends the program.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "lib/base/text.h"
#include "simpul/client_rpc.h"
#include "simpul/command.h"

namespace simpul::cli {
namespace {

struct Options {
  Door door;
  std::string cause;
  bool waiting = false;
  std::string quarantine;  // PARTITION:POSITION
  bool quarantines = false;
  std::string reason;
  std::string by;
};

void PrintJson(const delivery::v1::DeadLetterRow& row) {
  Print(JsonLine()
            .Texts("event_ids", {row.event_ids().begin(), row.event_ids().end()})
            .Raw("facility", FacilityJson(row.facility()))
            .Text("cause", row.cause())
            .Text("message", row.message())
            .Text("fix", row.fix())
            .Text("platform_says", row.platform_says())
            .Text("position", row.position())
            .Text("record_id", row.record_id())
            .Count("revision", row.revision())
            .Text("since", UtcTime(row.since(), row.has_since()))
            .Flag("waiting", row.waiting())
            .Take());
}

int DeadLetters(const Options& options) {
  if (!options.reason.empty() || !options.by.empty()) {
    Complain("dead-letters: --reason and --by go with --quarantine");
    return kWrongUse;
  }
  Client client(options.door.to);
  delivery::v1::ListDeadLettersRequest request;
  request.set_cause(options.cause);
  request.set_waiting(options.waiting);
  request.set_page_size(500);
  std::map<std::string, std::string> to_do;  // by cause
  Table table({"SINCE", "CAUSE", "EVENT", "FROM", "WHY"});
  do {
    delivery::v1::ListDeadLettersResponse response;
    if (const auto called = client.ListDeadLetters(request, response, std::chrono::seconds(30));
        !called.ok()) {
      Complain("dead-letters: " + Explain(called, options.door.to));
      return ExitOf(called);
    }
    for (const auto& row : response.rows()) {
      if (options.door.json) {
        PrintJson(row);
        continue;
      }
      const std::string more =
          row.event_ids_size() > 1 ? fmt::format(" +{}", row.event_ids_size() - 1) : "";
      table.Row(
          {UtcTime(row.since(), row.has_since()), row.cause(),
           (row.event_ids_size() > 0 ? row.event_ids(0) : "") + more, FacilityText(row.facility()),
           row.platform_says().empty()
               ? row.message()
               : fmt::format("{} The platform says: {}", row.message(), row.platform_says())});
      if (!row.fix().empty()) to_do[row.cause()] = row.fix();
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (options.door.json) return kDone;
  if (!table.empty()) {
    Print(table.Text());
    if (!to_do.empty()) Print("\nWhat to do:");
    for (const auto& [cause, fix] : to_do) Print(fmt::format("  {}: {}", cause, fix));
  } else if (options.cause.empty()) {
    Print("There are no dead letters.");
  } else {
    Print("There are no dead letters of this cause.");
  }
  return kDone;
}

// Nullopt: it is no PARTITION:POSITION.
std::optional<std::pair<uint32_t, int64_t>> ParsePlace(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto partition = base::ReadNumber<uint32_t>(text.substr(0, colon));
  const auto position = base::ReadNumber<int64_t>(text.substr(colon + 1));
  if (!partition.has_value() || !position.has_value()) return std::nullopt;
  return std::pair(*partition, *position);
}

int Quarantine(const Options& options) {
  const auto place = ParsePlace(options.quarantine);
  if (!place.has_value()) {
    Complain("dead-letters: --quarantine: write PARTITION:POSITION, as /readyz does, such as 3:42");
    return kWrongUse;
  }
  if (base::IsBlank(options.reason)) {
    Complain("dead-letters: --quarantine needs --reason: say why; it is kept for good");
    return kWrongUse;
  }
  if (!options.cause.empty() || options.waiting) {
    Complain("dead-letters: --cause and --waiting list; they do not go with --quarantine");
    return kWrongUse;
  }
  timeline::v1::QuarantineEventRequest request;
  request.set_partition(place->first);
  request.set_position(place->second);
  request.set_reason(options.reason);
  request.set_by(options.by.empty() ? UserName() : options.by);
  Client client(options.door.to);
  timeline::v1::QuarantineEventResponse response;
  if (const auto called = client.QuarantineEvent(request, response, std::chrono::seconds(60));
      !called.ok()) {
    Complain("dead-letters: " + Explain(called, options.door.to));
    return ExitOf(called);
  }
  const std::string behind =
      fmt::format("{}", fmt::join(response.behind().begin(), response.behind().end(), ", "));
  if (options.door.json) {
    Print(JsonLine()
              .Count("partition", request.partition())
              .Number("position", request.position())
              .Text("event_id", response.event_id())
              .Flag("already", response.already())
              .Raw("behind", "[" + behind + "]")
              .Take());
    return kDone;
  }
  Print(fmt::format("Partition {} position {} (event {}) {}.", request.partition(),
                    request.position(),
                    response.event_id().empty() ? "without a readable id" : response.event_id(),
                    response.already() ? "had been left out before" : "is left out"));
  if (!behind.empty()) Print(fmt::format("Timeline replicas that have yet to read it: {}", behind));
  return kDone;
}

}  // namespace

void AddDeadLetters(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "dead-letters", "List what could not be processed, is held, refused, or waits");
  AddDoor(*command, options->door);
  command->add_option("--cause", options->cause,
                      "Only of this cause, such as conflict, or held, or refused");
  command->add_flag("--waiting", options->waiting,
                    "Also what waits for the event it corrects or takes back");
  auto* quarantine = command->add_option(
      "--quarantine", options->quarantine,
      "PARTITION:POSITION of an event that ends the program, to be left out of the timelines for "
      "good; asked of a timeline replica");
  command->add_option("--reason", options->reason, "With --quarantine: why");
  command->add_option("--by", options->by, "With --quarantine: who; else the user's name here");
  command->callback([&chosen, options, quarantine] {
    options->quarantines = quarantine->count() > 0 || !options->quarantine.empty();
    chosen.run = [options] {
      return options->quarantines ? Quarantine(*options) : DeadLetters(*options);
    };
  });
}

}  // namespace simpul::cli
