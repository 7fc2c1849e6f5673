// simpul dead-letters: what could not be processed, is held or refused, or waits for its original.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "simpul/client_rpc.h"
#include "simpul/command.h"

namespace simpul::cli {
namespace {

struct Options {
  Door door;
  std::string cause;
  bool waiting = false;
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
  command->callback(
      [&chosen, options] { chosen.run = [options] { return DeadLetters(*options); }; });
}

}  // namespace simpul::cli
