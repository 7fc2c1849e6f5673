// simpul pull: delivery records as the national gateway pulls them.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "simpul/client_rpc.h"
#include "simpul/command.h"

namespace simpul::cli {
namespace {

struct Options {
  Door door;
  std::string after;
  bool follow = false;
  uint32_t limit = 0;
};

std::string OperationWord(records::v1::Operation operation) {
  return EnumWord(records::v1::Operation_Name(operation), "OPERATION_");
}

std::string RecordJson(const records::v1::PullRecordsResponse& record) {
  JsonLine line;
  line.Text("cursor", record.cursor())
      .Text("record_id", record.record_id())
      .Count("revision", record.revision())
      .Text("operation", OperationWord(record.operation()))
      .Texts("event_ids", {record.event_ids().begin(), record.event_ids().end()})
      .Raw("facility", FacilityJson(record.facility()))
      .Text("committed_at", UtcTime(record.committed_at(), record.has_committed_at()))
      .Texts("unmapped", {record.unmapped().begin(), record.unmapped().end()});
  if (record.bundle_json().empty()) {
    line.Null("bundle");
  } else {
    line.Raw("bundle", record.bundle_json());
  }
  return line.Take();
}

int Pull(const Options& options) {
  WatchStop();
  Client client(options.door.to);
  records::v1::PullRecordsRequest request;
  request.set_after(options.after);
  request.set_follow(options.follow);
  request.set_limit(options.limit);
  const WhenStopped cut(Stopping(), std::chrono::milliseconds(0), [&client] { client.Cancel(); });
  std::string cursor = options.after;
  uint64_t count = 0;
  const absl::Status pulled =
      client.PullRecords(request, [&](const records::v1::PullRecordsResponse& record) {
        cursor = record.cursor();
        ++count;
        if (options.door.json) {
          Print(RecordJson(record));
        } else {
          Print(fmt::format("{}  {:9}  {} revision {}, {} events, bundle of {} bytes",
                            UtcTime(record.committed_at(), record.has_committed_at()),
                            OperationWord(record.operation()), record.record_id(),
                            record.revision(), record.event_ids_size(),
                            record.bundle_json().size()));
        }
        if (options.follow) std::fflush(stdout);
        return !Stopping().asked();
      });
  const bool stopped = Stopping().asked();
  if (!pulled.ok() && !stopped) Complain("pull: " + Explain(pulled, options.door.to));
  if (!options.door.json) {
    Print(fmt::format("{} records.{}", Grouped(count),
                      cursor.empty() ? "" : " To go on: simpul pull --after " + cursor));
  }
  return pulled.ok() || stopped ? kDone : kFailed;
}

}  // namespace

void AddPull(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("pull", "Pull delivery records as FHIR Bundles");
  AddDoor(*command, options->door);
  command->add_option("--after", options->after, "Cursor of the last record kept");
  command->add_flag("--follow", options->follow, "Go on with new records as they come");
  command->add_option("--limit", options->limit, "Stop after so many records; 0: no limit")
      ->capture_default_str();
  command->callback([&chosen, options] { chosen.run = [options] { return Pull(*options); }; });
}

}  // namespace simpul::cli
