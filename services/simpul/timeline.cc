// simpul timeline: what stands on patients' timelines.
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <set>

#include "lib/base/status_macros.h"
#include "lib/event/identity_text.h"
#include "lib/event/kind.h"
#include "simpul/client_rpc.h"
#include "simpul/command.h"
#include "simpul/derived_text.h"
#include "simpul/line_reader.h"
#include "simpul/summary.h"

namespace simpul::cli {
namespace {

using google::protobuf::util::TimeUtil;

struct Options {
  Door door;
  std::string patient;
  std::string min_position;
  double wait_s = 5;
  std::string from, until;
  std::vector<std::string> kinds;
  bool newest_first = false;
};

std::string StateWord(timeline::v1::MemberState state) {
  return EnumWord(timeline::v1::MemberState_Name(state), "MEMBER_STATE_");
}

std::string EventJson(const timeline::v1::TimelineEvent& event) {
  std::vector<std::string> amendments;
  for (const auto& one : event.amendments()) {
    amendments.push_back(JsonLine()
                             .Text("event_id", one.event_id())
                             .Text("kind", one.kind())
                             .Flag("counts", one.counts())
                             .Text("recorded_at", UtcTime(one.recorded_at(), one.has_recorded_at()))
                             .Text("reason", one.reason())
                             .Take());
  }
  return JsonLine()
      .Text("event_id", event.event().event_id())
      .Text("kind", KindOf(event.event()))
      .Text("occurred_at", LocalTime(event.event().occurred_at()))
      .Text("state", StateWord(event.state()))
      .Text("position", event.position())
      .Text("received_at", UtcTime(event.received_at(), event.has_received_at()))
      .RawList("amendments", amendments)
      .Raw("event", ToJson(event.event()))
      .Take();
}

void PrintJson(const std::string& patient, const timeline::v1::TimelineEntry& entry,
               uint64_t records_behind) {
  std::vector<std::string> ids, kinds, events;
  std::set<std::string> seen;
  for (const auto& one : entry.events()) {
    ids.push_back(one.event().event_id());
    const std::string kind = KindOf(one.event());
    if (seen.insert(kind).second) kinds.push_back(kind);
    events.push_back(EventJson(one));
  }
  const event::v1::Event first =
      entry.events_size() > 0 ? entry.events(0).event() : event::v1::Event();
  Print(JsonLine()
            .Text("patient", patient)
            .Text("entry_id", entry.entry_id())
            .Count("revision", entry.revision())
            .Text("event_id", first.event_id())
            .Texts("event_ids", ids)
            .Text("kind", EnumWord(timeline::v1::EntryKind_Name(entry.kind()), "ENTRY_KIND_"))
            .Texts("kinds", kinds)
            .Text("occurred_at", LocalTime(first.occurred_at()))
            .Raw("facility", FacilityJson(entry.facility()))
            .Text("group_id", entry.group_id())
            .Text("purpose", EnumWord(event::v1::Purpose_Name(entry.purpose()), "PURPOSE_"))
            .Flag("withdrawn", entry.withdrawn())
            .Count("records_behind", records_behind)
            .RawList("events", events)
            .Raw("derived", ToJson(entry.derived()))
            .Take());
}

void AddRows(const timeline::v1::TimelineEntry& entry, Table& table) {
  uint32_t member = 0;
  for (const auto& one : entry.events()) {
    const bool first = member == 0;
    const std::string said = DerivedText(entry.derived(), member++);
    std::string note;
    if (one.state() != timeline::v1::MEMBER_STATE_STANDING) note = StateWord(one.state());
    if (entry.purpose() == event::v1::PURPOSE_TRAINING) {
      note += note.empty() ? "training" : ", training";
    }
    const bool taken_back = one.state() == timeline::v1::MEMBER_STATE_RETRACTED;
    table.Row({first ? LocalTimeForPeople(one.event().occurred_at()) : "",
               first ? FacilityText(entry.facility()) : "",
               first ? fmt::format("{}", entry.revision()) : "", KindOf(one.event()), note,
               taken_back ? "" : Summarise(one.event()) + (said.empty() ? "" : ": " + said)});
  }
}

std::string KindNames() {
  std::string names;
  for (auto kind = static_cast<uint32_t>(event::Kind::kVisit); !event::KindName(kind).empty();
       ++kind) {
    names += fmt::format(" {}", event::KindName(kind));
  }
  return names;
}

// One person's timeline; an empty one is an answer.
absl::Status Show(Client& client, const Options& options, const std::string& text,
                  const event::v1::Identity& patient) {
  timeline::v1::GetTimelineRequest request;
  *request.mutable_patient() = patient;
  if (!options.from.empty()) TimeUtil::FromString(options.from, request.mutable_from());
  if (!options.until.empty()) TimeUtil::FromString(options.until, request.mutable_until());
  for (const std::string& kind : options.kinds) request.add_kinds(kind);
  request.set_order(options.newest_first ? timeline::v1::ORDER_NEWEST_FIRST
                                         : timeline::v1::ORDER_OLDEST_FIRST);
  request.set_page_size(200);
  request.set_min_position(options.min_position);
  const auto wait = std::chrono::milliseconds(static_cast<int64_t>(options.wait_s * 1000));
  *request.mutable_wait_max() = TimeUtil::MillisecondsToDuration(wait.count());
  Table table({"WHEN", "WHERE", "REV", "WHAT", "STATE", "FOUND"});
  bool titled = false;
  do {
    timeline::v1::GetTimelineResponse response;
    SIMPUL_RETURN_IF_ERROR(client.GetTimeline(request, response, wait + std::chrono::seconds(10)));
    if (!options.door.json && !titled) {
      const event::v1::Subject& person = response.patient();
      Print(person.name().empty() && response.entries().empty()
                ? "Nothing stands on this timeline."
                : fmt::format("{}, {}, born {}", person.name(),
                              EnumWord(event::v1::Sex_Name(person.sex()), "SEX_"),
                              person.birth_date().empty() ? "unknown" : person.birth_date()));
      if (response.records_behind() > 0) {
        Print(fmt::format("{} records of the log are not applied yet; something may be missing.",
                          response.records_behind()));
      }
      titled = true;
    }
    for (const auto& entry : response.entries()) {
      if (options.door.json) {
        PrintJson(text, entry, response.records_behind());
      } else {
        AddRows(entry, table);
      }
    }
    request.set_page_token(response.next_page_token());
    request.clear_min_position();
  } while (!request.page_token().empty());
  if (!table.empty()) Print(table.Text());
  return absl::OkStatus();
}

int Timeline(const Options& options) {
  google::protobuf::Timestamp ignored;
  for (const auto& [flag, text] : {std::pair("--from", options.from), {"--until", options.until}}) {
    if (!text.empty() && !TimeUtil::FromString(text, &ignored)) {
      Complain(fmt::format("timeline: {}: write a time as RFC 3339, such as 2026-01-05T00:00:00Z",
                           flag));
      return kWrongUse;
    }
  }
  Client client(options.door.to);
  const auto one = [&](const std::string& text, const std::string& where) {
    const auto patient = event::ParseIdentity(text);
    if (!patient.ok()) {
      Complain(fmt::format("timeline: {}: {}", where, base::Message(patient.status())));
      return kWrongUse;
    }
    if (const absl::Status shown = Show(client, options, text, *patient); !shown.ok()) {
      Complain("timeline: " + Explain(shown, options.door.to));
      return kFailed;
    }
    return kDone;
  };
  if (options.patient != "-") return one(options.patient, "--patient");
  WatchStop();
  LineReader reader(STDIN_FILENO, 4096, Stopping());
  int status = kDone;
  while (true) {
    const LineReader::Result result = reader.Next(std::chrono::milliseconds(1000));
    if (result == LineReader::Result::kNothing) continue;
    if (result == LineReader::Result::kStopped) return kFailed;
    if (result == LineReader::Result::kEnd) return status;
    if (result == LineReader::Result::kLine && reader.line().empty()) continue;
    const int shown = one(result == LineReader::Result::kLine ? reader.line() : "",
                          fmt::format("line {} of standard input", reader.number()));
    std::fflush(stdout);  // whoever asked may wait for it before asking again
    if (shown == kFailed) return shown;
    if (shown != kDone) status = shown;
  }
}

}  // namespace

void AddTimeline(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("timeline", "Show what stands on a patient's timeline");
  AddDoor(*command, options->door);
  command
      ->add_option("--patient", options->patient,
                   "nik|N, mother|NIK|DATE|ORDER, passport|COUNTRY|N, card|N, "
                   "local|SYSTEM|FACILITY|N, or - for one a line from standard input")
      ->required();
  command->add_option("--min-position", options->min_position,
                      "Wait until this position, as push gave it, is on the timeline");
  command->add_option("--wait", options->wait_s, "Seconds to wait for --min-position")
      ->check(CLI::Range(0.0, 30.0))
      ->capture_default_str();
  command->add_option("--from", options->from, "Only what occurred at or after, RFC 3339");
  command->add_option("--until", options->until, "Only what occurred before, RFC 3339");
  command
      ->add_option("--kind", options->kinds,
                   "Only entries with an event of this kind, such as visit; may be repeated")
      ->check([](const std::string& kind) {
        return event::KindOfName(kind) ? "" : "a kind is one of" + KindNames();
      });
  command->add_flag("--newest-first", options->newest_first, "Newest first");
  command->callback([&chosen, options] { chosen.run = [options] { return Timeline(*options); }; });
}

}  // namespace simpul::cli
