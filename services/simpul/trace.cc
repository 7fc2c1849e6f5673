// simpul trace: what became of events, from their id to the platform's ids.
#include <fmt/format.h>

#include <memory>

#include "simpul/client_rpc.h"
#include "simpul/command.h"
#include "simpul/delivery_text.h"

namespace simpul::cli {
namespace {

struct Options {
  Door door;
  std::vector<std::string> event_ids;
};

// The service's limit of one call.
constexpr size_t kIdsMax = 500;

std::string StandsWhere(const delivery::v1::EventTrace& trace) {
  return EnumWord(delivery::v1::EventState_Name(trace.state()), "EVENT_STATE_");
}

// standing, corrected, retracted; empty for what is on no timeline.
std::string CountsHow(const delivery::v1::EventTrace& trace) {
  if (trace.member_state() == timeline::v1::MEMBER_STATE_UNSPECIFIED) return "";
  return EnumWord(timeline::v1::MemberState_Name(trace.member_state()), "MEMBER_STATE_");
}

void PrintJson(const delivery::v1::EventTrace& trace) {
  std::vector<std::string> records;
  for (const auto& record : trace.records()) records.push_back(RecordJson(record));
  Print(JsonLine()
            .Text("event_id", trace.event_id())
            .Raw("facility", FacilityJson(trace.facility()))
            .Text("position", trace.position())
            .Text("received_at", UtcTime(trace.received_at(), trace.has_received_at()))
            .Text("state", StandsWhere(trace))
            .Texts("entries", {trace.entries().begin(), trace.entries().end()})
            .RawList("records", records)
            .Text("member_state", CountsHow(trace))
            .Text("reason", trace.reason())
            .Text("fix", trace.fix())
            .Flag("id_used_twice", trace.id_used_twice())
            .Take());
}

void PrintText(const delivery::v1::EventTrace& trace) {
  if (trace.state() == delivery::v1::EVENT_STATE_UNKNOWN) {
    Print(fmt::format("event {}: unknown; nobody has accepted an event of this id here",
                      trace.event_id()));
    return;
  }
  std::string where = StandsWhere(trace);
  for (char& c : where) c = c == '_' ? ' ' : c;
  if (trace.member_state() > timeline::v1::MEMBER_STATE_STANDING) where += ", " + CountsHow(trace);
  Print(fmt::format("event {}: {}{}", trace.event_id(), where,
                    trace.reason().empty() ? "" : " (" + trace.reason() + ")"));
  if (!trace.fix().empty()) Print("  to do: " + trace.fix());
  Print(fmt::format("  from {}, accepted {}, position {}", FacilityText(trace.facility()),
                    UtcTime(trace.received_at(), trace.has_received_at()), trace.position()));
  if (trace.id_used_twice()) Print("  the same id stands under more than one patient");
  for (const auto& entry : trace.entries()) Print(fmt::format("  entry {}", entry));
  for (const auto& record : trace.records()) Print("  " + RecordText(record));
}

int Trace(const Options& options) {
  Client client(options.door.to);
  int status = kDone;
  for (size_t at = 0; at < options.event_ids.size(); at += kIdsMax) {
    delivery::v1::TraceRequest request;
    for (size_t i = at; i < std::min(at + kIdsMax, options.event_ids.size()); ++i) {
      request.add_event_ids(options.event_ids[i]);
    }
    delivery::v1::TraceResponse response;
    if (const auto called = client.Trace(request, response, std::chrono::seconds(30));
        !called.ok()) {
      Complain("trace: " + Explain(called, options.door.to));
      return ExitOf(called);
    }
    for (const auto& trace : response.traces()) {
      if (trace.state() == delivery::v1::EVENT_STATE_UNKNOWN) status = kFailed;
      if (options.door.json) {
        PrintJson(trace);
      } else {
        PrintText(trace);
      }
    }
  }
  return status;
}

}  // namespace

void AddTrace(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("trace", "Show what became of events");
  AddDoor(*command, options->door);
  command->add_option("EVENT_ID", options->event_ids, "Ids of events")->required();
  command->callback([&chosen, options] { chosen.run = [options] { return Trace(*options); }; });
}

}  // namespace simpul::cli
