#include "sandbox/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "sandbox/facts.h"
#include "sandbox/rules.h"
#include "sandbox/structure.h"

namespace simpul::sandbox {
namespace {

constexpr std::string_view kUrn = "urn:uuid:";

uint64_t Mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

uint64_t RandomNumber() {
  uint64_t number;
  const std::string bytes = base::RandomBytes(sizeof number);
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

// Opaque to clients, as the platform's are: never to be counted upon.
std::string VersionId(base::Time now, uint32_t version) {
  return fmt::format("v{:x}-{:x}", base::ToMicros(now), version);
}

std::string LastUpdated(base::Time now) {
  const int64_t micros = base::ToMicros(now);
  std::string text = base::FormatUtc(base::FromMicros(micros - micros % 1'000'000));
  text.pop_back();  // Z
  return fmt::format("{}.{:06}+00:00", text, micros % 1'000'000);
}

Json MakeMeta(const Json* present, std::string_view version_id, std::string_view last_updated,
              JsonPool& pool) {
  Json meta(rapidjson::kObjectType);
  if (present != nullptr && present->IsObject()) meta.CopyFrom(*present, pool);
  SetMember(meta, "versionId", MakeText(version_id, pool), pool);
  SetMember(meta, "lastUpdated", MakeText(last_updated, pool), pool);
  return meta;
}

// True when what a reference names is there without having been sent: the platform's master data.
bool IsMasterType(std::string_view type) {
  return type == "Organization" || type == "Location" || type == "PractitionerRole" ||
         type == "HealthcareService" || type == "Questionnaire" || type == "Device";
}

Issue DueToPreviousError(int number, std::string_view verdict, std::string_view type) {
  return MakeIssue(number, fmt::format("{} resource {} due to previous error", verdict, type), type,
                   "exception");
}

}  // namespace

Registry::Registry(Store& store, People& people, Options options, const base::Clock& clock)
    : store_(store),
      people_(people),
      options_(options),
      clock_(clock),
      duplicate_check_(options.duplicate_check),
      id_seed_high_(RandomNumber()),
      id_seed_low_(RandomNumber()) {}

std::string Registry::NewId() {
  const uint64_t count = ids_given_.fetch_add(1, std::memory_order_relaxed);
  // Mix is one to one: ids of one run cannot meet; those of two runs meet as seldom as random ones.
  const uint64_t high = Mix(id_seed_high_ ^ Mix(count)), low = Mix(id_seed_low_ + count);
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffffffffffff);
}

Issue Registry::MakeDuplicateIssue(std::string_view type) {
  const bool numbered = options_.duplicate_number == DuplicateNumber::kAlways ||
                        (options_.duplicate_number == DuplicateNumber::kAlternate &&
                         duplicates_answered_.fetch_add(1) % 2 == 0);
  return numbered ? MakeIssue(20002, fmt::format("Found duplicate resource: {}", type),
                              fmt::format("{}.identifier", type), "duplicate")
                  : MakeIssue(0, fmt::format("Found duplicate: {}", type),
                              fmt::format("{}.identifier", type), "duplicate");
}

int64_t Registry::LatestSeconds() const {
  return base::ToMicros(clock_.Now()) / 1'000'000 + options_.future_slack_seconds;
}

bool Registry::Exists(std::string_view reference, const Targets& targets) const {
  const size_t slash = reference.find('/');
  if (slash == std::string_view::npos || slash + 1 == reference.size()) return false;
  const std::string_view type = reference.substr(0, slash), id = reference.substr(slash + 1);
  if (type == "Patient") return people_.Patient(id).has_value();
  if (type == "Practitioner") return people_.Practitioner(id).has_value();
  return IsMasterType(type) || store_.Contains(type, id) ||
         targets.coming.contains(std::string(reference));
}

std::vector<Issue> Registry::Check(Json& resource, std::string_view type,
                                   std::string_view organization) const {
  std::vector<Issue> issues = sandbox::Examine(resource, type, LatestSeconds()).issues;
  std::vector<Issue> broken = CheckRules(resource, type, organization);
  issues.insert(issues.end(), broken.begin(), broken.end());
  return issues;
}

void Registry::Examine(Change& change, const Targets& targets, std::string_view organization,
                       JsonPool& pool) const {
  Structure structure = sandbox::Examine(*change.resource, change.type, LatestSeconds());
  std::vector<Issue>& issues = change.issues;
  issues = std::move(structure.issues);
  for (Json* reference : structure.references) {
    const std::string_view text = Text(*reference);
    if (const auto target = targets.by_url.find(text); target != targets.by_url.end()) {
      *reference = MakeText(target->second, pool);
      continue;
    }
    // Contained resources and addresses elsewhere are not the platform's to know.
    const bool elsewhere = !text.starts_with(kUrn) &&
                           (text.starts_with('#') || text.find("://") != std::string_view::npos);
    if (!elsewhere && !Exists(text, targets)) {
      issues.push_back(
          MakeIssue(20007, fmt::format("Resource not found {}", text), change.type, "not-found"));
    }
  }
  std::vector<Issue> broken = CheckRules(*change.resource, change.type, organization);
  issues.insert(issues.end(), broken.begin(), broken.end());
}

bool Registry::DependsOn(const Change& change, const Targets& targets,
                         const absl::flat_hash_set<std::string>& failed) const {
  Structure structure = sandbox::Examine(*change.resource, change.type, LatestSeconds());
  return std::any_of(structure.references.begin(), structure.references.end(),
                     [&](const Json* reference) {
                       const auto target = targets.by_url.find(Text(*reference));
                       return target != targets.by_url.end() && failed.contains(target->second);
                     });
}

Outcome Registry::Apply(std::vector<Change>& changes, std::string_view organization,
                        JsonPool& pool) {
  Outcome outcome;
  // Ids first: an entry may refer to one that comes after it.
  Targets targets;
  std::vector<uint32_t> versions(changes.size(), 1);
  for (Change& change : changes) {
    if (change.create && !change.keep_id) change.id = NewId();
    std::string reference = fmt::format("{}/{}", change.type, change.id);
    if (!change.full_url.empty()) targets.by_url.try_emplace(change.full_url, reference);
    if (!targets.coming.insert(std::move(reference)).second) {
      change.issues.push_back(
          MakeIssue(20005,
                    fmt::format("Failed to read request payload: {}/{} is there twice", change.type,
                                change.id),
                    change.type));
    }
  }

  absl::flat_hash_set<std::string> failed;  // Type/id
  for (size_t i = 0; i < changes.size(); ++i) {
    Change& change = changes[i];
    if (!failed.empty()) {
      // Once one has failed, the platform says of the others only that it did.
      outcome.issues.push_back(DependsOn(change, targets, failed)
                                   ? DueToPreviousError(20013, "Invalid", change.type)
                                   : DueToPreviousError(20012, "Forbidden", change.type));
      continue;
    }
    if (change.issues.empty()) Examine(change, targets, organization, pool);
    if (!change.create && change.issues.empty()) {
      const std::optional<Stored> head = store_.Head(change.type, change.id);
      if (!head.has_value()) {
        change.issues.push_back(
            MakeIssue(20007, fmt::format("Resource not found {}/{}", change.type, change.id),
                      change.type, "not-found"));
      } else if (head->organization != organization) {
        change.issues.push_back(MakeIssue(0, "resource cannot be accessed due to business rule",
                                          change.type, "forbidden"));
      } else {
        versions[i] = head->version + 1;
      }
    }
    if (!change.issues.empty()) {
      outcome.issues.insert(outcome.issues.end(), change.issues.begin(), change.issues.end());
      failed.insert(fmt::format("{}/{}", change.type, change.id));
    }
  }
  if (!failed.empty()) {
    outcome.status = 400;
    return outcome;
  }
  return Commit(changes, versions, organization, pool);
}

Outcome Registry::Commit(std::vector<Change>& changes, const std::vector<uint32_t>& versions,
                         std::string_view organization, JsonPool& pool) {
  Outcome outcome;
  const base::Time now = clock_.Now();
  const std::string last_updated = LastUpdated(now);
  std::vector<Write> writes(changes.size());
  std::vector<Applied> applied(changes.size());
  for (size_t i = 0; i < changes.size(); ++i) {
    Change& change = changes[i];
    applied[i].created = change.create;
    applied[i].type = change.type;
    applied[i].id = change.id;
    applied[i].version_id = VersionId(now, versions[i]);
    applied[i].last_updated = last_updated;
    SetMember(*change.resource, "id", MakeText(change.id, pool), pool);
    SetMember(*change.resource, "meta",
              MakeMeta(Member(*change.resource, "meta"), applied[i].version_id, last_updated, pool),
              pool);
    Facts facts = ReadFacts(*change.resource, change.type);
    Write& write = writes[i];
    write.type = change.type;
    write.id = change.id;
    write.version = versions[i];
    write.organization = organization;
    write.patient = std::move(facts.patient);
    write.natural_key = std::move(facts.natural_key);
    write.identifiers = std::move(facts.identifiers);
    write.body.reserve(1024);
    AppendJson(*change.resource, write.body);
  }

  const absl::StatusOr<Committed> committed = store_.Commit(writes, duplicate_check_);
  if (!committed.ok()) {
    base::Log(base::Severity::kError, "sandbox", base::Message(committed.status()));
    outcome.status = 500;
    return outcome;
  }
  const std::string& at = changes[committed->at].type;
  switch (committed->outcome) {
    case Committed::Outcome::kDone:
      for (size_t i = 0; i < writes.size(); ++i) applied[i].body = std::move(writes[i].body);
      outcome.applied = std::move(applied);
      break;
    case Committed::Outcome::kDuplicate:
      outcome.status = 400;
      outcome.issues.push_back(MakeDuplicateIssue(at));
      for (size_t i = committed->at + 1; i < changes.size(); ++i) {
        outcome.issues.push_back(DueToPreviousError(20012, "Forbidden", changes[i].type));
      }
      break;
    case Committed::Outcome::kStale:
      outcome.status = 409;
      outcome.issues.push_back(
          MakeIssue(0, fmt::format("{} was changed at the same time", at), at, "conflict"));
      break;
  }
  return outcome;
}

}  // namespace simpul::sandbox
