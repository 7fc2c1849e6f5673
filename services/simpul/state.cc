// simpul state: positions, counts and checksums of what was derived from the log.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>

#include "simpul/client_rpc.h"
#include "simpul/command.h"

namespace simpul::cli {
namespace {

std::string OwnersJson(const timeline::v1::PartitionState& partition) {
  std::vector<std::string> owners;
  for (const auto& owner : partition.owners()) {
    owners.push_back(JsonLine()
                         .Count("replica", owner.replica())
                         .Number("position", owner.position())
                         .Text("checksum", owner.checksum())
                         .Take());
  }
  return fmt::format("[{}]", fmt::join(owners, ","));
}

// Words for two owners who stand at one position with different timelines; empty: there are none.
std::string Disagreement(const timeline::v1::PartitionState& partition) {
  std::map<int64_t, const timeline::v1::OwnerState*> by_position;
  for (const auto& owner : partition.owners()) {
    const auto [it, is_new] = by_position.try_emplace(owner.position(), &owner);
    if (is_new || it->second->checksum() == owner.checksum()) continue;
    return fmt::format(
        "replicas {} and {} have different timelines of partition {} at position {}: this is a "
        "bug of Simpul or a damaged disk. Delete this partition's folder of both, one after the "
        "other: it is made again from the log",
        it->second->replica(), owner.replica(), partition.partition(), owner.position());
  }
  return "";
}

int State(const Door& door) {
  Client client(door.to);
  timeline::v1::GetStateResponse state;
  delivery::v1::GetLedgerResponse ledger;
  absl::Status called = client.GetState(state, std::chrono::seconds(30));
  // A timeline alone has a state, and so has a forwarder.
  const bool has_timeline = called.ok();
  bool has_ledger = false;
  if (has_timeline || called.code() == absl::StatusCode::kUnimplemented) {
    const absl::Status asked = client.GetLedger(ledger, std::chrono::seconds(30));
    has_ledger = asked.ok();
    if (has_ledger || asked.code() != absl::StatusCode::kUnimplemented) called = asked;
  }
  if (!called.ok()) {
    Complain("state: " + Explain(called, door.to));
    return kFailed;
  }
  std::map<uint32_t, const delivery::v1::LedgerState*> ledgers;
  delivery::v1::LedgerState sum;
  for (const auto& one : ledger.partitions()) {
    ledgers[one.partition()] = &one;
    sum.set_waiting(sum.waiting() + one.waiting());
    sum.set_delivered(sum.delivered() + one.delivered());
    sum.set_held(sum.held() + one.held());
    sum.set_refused(sum.refused() + one.refused());
    sum.set_superseded(sum.superseded() + one.superseded());
    sum.set_not_sent(sum.not_sent() + one.not_sent());
  }
  const auto add_ledger = [](JsonLine& line, const delivery::v1::LedgerState& one) {
    line.Count("waiting_records", one.waiting())
        .Count("delivered", one.delivered())
        .Count("held", one.held())
        .Count("refused", one.refused())
        .Count("superseded", one.superseded())
        .Count("not_sent", one.not_sent());
  };
  Table table({"PARTITION", "POSITION", "END", "EVENTS", "ENTRIES", "WAITING", "DEAD", "DELIVERED",
               "OPEN", "CHECKSUM"});
  uint64_t waiting = 0, dead_letters = 0, lag = 0;
  bool stopped = false;
  for (const auto& silent : state.silent()) {
    Complain(fmt::format("state: timeline replica {} does not answer replica {}: {}",
                         silent.replica(), state.replica(), silent.reason()));
  }
  for (const auto& one : state.partitions()) {
    if (const std::string words = Disagreement(one); !words.empty()) {
      Complain("state: " + words);
      stopped = true;
    }
    waiting += one.waiting();
    dead_letters += one.dead_letters();
    if (one.log_end() > one.position())
      lag += static_cast<uint64_t>(one.log_end() - one.position());
    stopped |= !one.stopped().empty();
    const auto found = ledgers.find(one.partition());
    if (door.json) {
      JsonLine line;
      line.Count("partition", one.partition())
          .Number("position", one.position())
          .Count("events", one.events())
          .Count("entries", one.entries())
          .Text("checksum", one.checksum())
          .Number("log_end", one.log_end())
          .Count("waiting", one.waiting())
          .Count("dead_letters", one.dead_letters())
          .Text("stopped", one.stopped());
      if (!one.owners().empty()) line.Raw("owners", OwnersJson(one));
      if (found != ledgers.end()) {
        line.Text("ledger_checksum", found->second->checksum());
        add_ledger(line, *found->second);
      }
      Print(line.Take());
    } else {
      const delivery::v1::LedgerState none;
      const auto& records = found == ledgers.end() ? none : *found->second;
      table.Row({fmt::format("{}", one.partition()), fmt::format("{}", one.position()),
                 fmt::format("{}", one.log_end()), Grouped(one.events()), Grouped(one.entries()),
                 Grouped(one.waiting()), Grouped(one.dead_letters()), Grouped(records.delivered()),
                 Grouped(records.waiting() + records.held() + records.refused()),
                 one.checksum().substr(0, 16)});
      if (!one.stopped().empty()) {
        Complain(
            fmt::format("state: partition {} stands still: {}", one.partition(), one.stopped()));
      }
    }
  }
  if (door.json) {
    if (!has_timeline) {
      for (const auto& one : ledger.partitions()) {
        JsonLine line;
        line.Count("partition", one.partition()).Text("ledger_checksum", one.checksum());
        add_ledger(line, one);
        Print(line.Take());
      }
    }
    JsonLine line;
    if (has_timeline) {
      line.Count("events", state.events())
          .Count("entries", state.entries())
          .Text("checksum", state.checksum())
          .Count("lag", lag)
          .Count("waiting", waiting)
          .Count("dead_letters", dead_letters);
    }
    if (has_ledger) {
      line.Text("ledger_checksum", ledger.checksum()).Flag("paused", ledger.paused());
      add_ledger(line, sum);
    }
    Print(line.Take());
  } else {
    if (has_timeline) {
      Print(table.Text());
      Print(fmt::format("{} events, {} entries, checksum {}", Grouped(state.events()),
                        Grouped(state.entries()), state.checksum()));
    }
    if (has_ledger) {
      Print(
          fmt::format("{} delivered, {} waiting, {} held, {} refused, {} superseded, {} not "
                      "sent{}, ledger checksum {}",
                      Grouped(sum.delivered()), Grouped(sum.waiting()), Grouped(sum.held()),
                      Grouped(sum.refused()), Grouped(sum.superseded()), Grouped(sum.not_sent()),
                      ledger.paused() ? ", paused" : "", ledger.checksum()));
    }
  }
  return stopped ? kFailed : kDone;
}

}  // namespace

void AddState(CLI::App& app, Chosen& chosen) {
  auto door = std::make_shared<Door>();
  CLI::App* command = app.add_subcommand("state", "Show positions, counts and checksums");
  AddDoor(*command, *door);
  command->callback([&chosen, door] { chosen.run = [door] { return State(*door); }; });
}

}  // namespace simpul::cli
