// The platform's way of taking changes: every rule, every reference, then all of them or none.
//
// A single create, update or patch is a list of one change; a transaction Bundle is a list of many.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "lib/base/clock.h"
#include "sandbox/json.h"
#include "sandbox/outcome.h"
#include "sandbox/people.h"
#include "sandbox/store.h"

namespace simpul::sandbox {

// One resource to be created or replaced.
struct Change {
  bool create = true;
  std::string type;
  std::string id;        // of the resource to be replaced; chosen by Apply for a create
  bool keep_id = false;  // the create's id is given: a Patient's number
  std::string full_url;  // urn:uuid:..., in a transaction
  Json* resource = nullptr;
  std::vector<Issue> issues;  // found before Apply: the change fails with them
};

// What became of a change that was taken.
struct Applied {
  bool created = true;
  std::string type, id;
  std::string version_id;    // opaque
  std::string last_updated;  // RFC 3339 with microseconds
  std::string body;          // as stored
};

struct Outcome {
  int status = 200;              // 200: everything was taken
  std::vector<Applied> applied;  // in the order of the changes
  std::vector<Issue> issues;     // why nothing was
};

// How duplicates are answered: with the number of rule 20002, without, or in turn.
enum class DuplicateNumber { kAlternate, kAlways, kNever };

// Any thread.
class Registry {
 public:
  struct Options {
    bool duplicate_check = true;
    DuplicateNumber duplicate_number = DuplicateNumber::kAlternate;
    int future_slack_seconds = 5;  // no two clocks agree exactly
  };
  Registry(Store& store, People& people, Options options, const base::Clock& clock);

  // Checks and stores. `changes` are altered: references among them become ids, id and meta are
  // set.
  Outcome Apply(std::vector<Change>& changes, std::string_view organization, JsonPool& pool);

  // The rules alone, for what is answered before it is stored. References are not looked up.
  std::vector<Issue> Check(Json& resource, std::string_view type,
                           std::string_view organization) const;

  void SetDuplicateCheck(bool on) { duplicate_check_ = on; }
  bool duplicate_check() const { return duplicate_check_; }

 private:
  // What the changes of one call may refer to before they are stored.
  struct Targets {
    absl::flat_hash_map<std::string_view, std::string> by_url;  // fullUrl to Type/id
    absl::flat_hash_set<std::string> coming;                    // Type/id
  };

  int64_t LatestSeconds() const;
  bool Exists(std::string_view reference, const Targets& targets) const;
  // Finds everything wrong with a change, and turns its references into Type/id.
  void Examine(Change& change, const Targets& targets, std::string_view organization,
               JsonPool& pool) const;
  // True when a change refers to one that failed.
  bool DependsOn(const Change& change, const Targets& targets,
                 const absl::flat_hash_set<std::string>& failed) const;
  Outcome Commit(std::vector<Change>& changes, const std::vector<uint32_t>& versions,
                 std::string_view organization, JsonPool& pool);
  Issue MakeDuplicateIssue(std::string_view type);
  std::string NewId();

  Store& store_;
  People& people_;
  const Options options_;
  const base::Clock& clock_;
  std::atomic<bool> duplicate_check_;
  std::atomic<uint64_t> duplicates_answered_{0};
  const uint64_t id_seed_high_, id_seed_low_;
  std::atomic<uint64_t> ids_given_{0};
};

}  // namespace simpul::sandbox
