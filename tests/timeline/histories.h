// Histories kept in a map, and what must come of a set of events whatever their order.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/timeline/history.h"
#include "lib/timeline/project.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::testing {

// The receipt that intake gives the event.
log::v1::AcceptedEvent Receipt(const event::v1::Event& event);

// One patient's history, written to a map.
class MapHistory {
 public:
  // Projects the event at the next position; ends the test's process on an error.
  timeline::Projected Apply(const event::v1::Event& event);
  // Writes what changed, as the store does at the end of a batch; otherwise done by the next batch.
  void EndBatch();

  const timeline::Tally& tally() const { return tally_; }
  // The entries as they stand, in timeline order.
  std::vector<timeline::v1::Entry> Entries() const;
  // Everything told to others so far, serialized.
  const std::vector<std::string>& derived() const { return derived_; }
  const std::map<std::string, std::string>& kept() const { return kept_; }

 private:
  event::SubjectKey subject_ = *event::SubjectKey::FromBytes("0123456789abcdef");
  std::map<std::string, std::string> kept_;
  timeline::History::Read read_ =
      [this](const std::string& key) -> absl::StatusOr<std::optional<std::string>> {
    const auto it = kept_.find(key);
    if (it == kept_.end()) return std::nullopt;
    return it->second;
  };
  std::optional<timeline::History> history_;
  timeline::Tally tally_;
  std::vector<std::string> derived_;
  int64_t position_ = 0;
};

// What a set of events of one patient must come to.
struct Outcome {
  uint64_t events = 0;
  uint64_t entries = 0;
  uint64_t waiting = 0;
  uint64_t dead_letters = 0;
  std::string checksum;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

// Told from the set alone, without the projection's code: the oracle. One content an id.
Outcome Expect(const std::vector<event::v1::Event>& events);

// What a tally says.
Outcome Counted(const timeline::Tally& tally);

}  // namespace simpul::testing
