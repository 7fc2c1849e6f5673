// simpul resend: tries held or refused records again, or gives them up.
#include <fmt/format.h>

#include <memory>

#include "lib/base/text.h"
#include "simpul/client_rpc.h"
#include "simpul/command.h"
#include "simpul/delivery_text.h"

namespace simpul::cli {
namespace {

struct Options {
  Door door;
  std::vector<std::string> event_ids;
  std::string cause;
  bool dry_run = false;
  bool gives_up = false;
  std::string reason;  // for giving up
};

int Resend(const Options& options) {
  if (options.event_ids.empty() == options.cause.empty()) {
    Complain("resend: give event ids, or --cause CAUSE. See: simpul resend --help");
    return kWrongUse;
  }
  // As an unset variable of a shell makes it: not a wish to send.
  if (options.gives_up && base::IsBlank(options.reason)) {
    Complain("resend: --give-up is empty: give a reason");
    return kWrongUse;
  }
  delivery::v1::ResendRequest request;
  for (const std::string& id : options.event_ids) request.add_event_ids(id);
  request.set_cause(options.cause);
  request.set_dry_run(options.dry_run);
  if (options.gives_up) request.set_give_up_reason(options.reason);
  Client client(options.door.to);
  delivery::v1::ResendResponse response;
  if (const auto called = client.Resend(request, response, std::chrono::seconds(60));
      !called.ok()) {
    Complain("resend: " + Explain(called, options.door.to));
    return ExitOf(called);
  }
  for (const auto& record : response.records()) {
    Print(options.door.json ? RecordJson(record) : RecordText(record));
  }
  for (const std::string& event_id : response.unknown_event_ids()) {
    Complain(fmt::format("resend: event {}: unknown; nobody has accepted an event of this id here",
                         event_id));
  }
  if (!options.door.json) {
    const char* what = options.gives_up
                           ? (options.dry_run ? "would be given up" : "given up")
                           : (options.dry_run ? "would be sent again" : "are sent again");
    std::string line = fmt::format("{} records {}", response.records_size(), what);
    if (response.had_been_given_up() > 0) {
      line += fmt::format("; {} of them had been given up", response.had_been_given_up());
    }
    if (response.records_size() == 0) line += ": nothing of these is held or refused";
    Print(line);
  }
  // Sending again what need not be sent is no failure; giving up nothing is.
  const bool gave_up_nothing = options.gives_up && response.records_size() == 0;
  return response.unknown_event_ids_size() > 0 || gave_up_nothing ? kFailed : kDone;
}

}  // namespace

void AddResend(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("resend", "Try held or refused records again, or give them up");
  AddDoor(*command, options->door);
  command->add_option("EVENT_ID", options->event_ids, "Ids of events whose records are meant");
  command->add_option("--cause", options->cause, "All that are held or refused with this reason");
  auto* dry_run = command->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  auto* give_up =
      command->add_option("--give-up", options->reason, "Give them up instead, for this reason")
          ->excludes(dry_run);
  command->callback([&chosen, options, give_up] {
    options->gives_up = give_up->count() > 0 || !options->reason.empty();
    chosen.run = [options] { return Resend(*options); };
  });
}

}  // namespace simpul::cli
