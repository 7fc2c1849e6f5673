#include "sandbox/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "absl/hash/hash.h"
#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "sandbox/facts.h"

namespace simpul::sandbox {
namespace {

constexpr std::string_view kMagic = "SIMPULB1";
constexpr size_t kFrameHead = 12;
constexpr uint32_t kFrameMax = 64u << 20;

uint64_t Mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Tells a torn or overwritten frame from a whole one; no defence against intent.
uint64_t Checksum(std::string_view bytes) {
  uint64_t sum = bytes.size() * 0x9e3779b97f4a7c15ULL;
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    sum = (sum ^ word) * 0x9fb21c651e98df25ULL;
    sum ^= sum >> 32;
    bytes.remove_prefix(8);
  }
  uint64_t word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  return Mix(sum ^ word);
}

std::pair<uint64_t, uint64_t> HashOf(char kind, std::string_view a, std::string_view b) {
  using View = std::string_view;
  const uint64_t first = absl::Hash<std::tuple<char, View, View>>()({kind, a, b});
  const uint64_t second =
      absl::Hash<std::tuple<View, uint64_t, View>>()({b, first ^ 0x517cc1b727220a95ULL, a});
  return {first, second};
}

uint64_t PatientHash(std::string_view patient) {
  return patient.empty() ? 0 : absl::Hash<std::string_view>()(patient);
}

void PutWrite(std::string& out, const Write& write) {
  base::PutText(out, write.type);
  base::PutText(out, write.id);
  base::PutText(out, write.organization);
  base::PutText(out, write.patient);
  base::PutText(out, write.natural_key);
  std::string identifiers;
  for (const std::string& identifier : write.identifiers) {
    if (!identifiers.empty()) identifiers.push_back('\0');
    identifiers += identifier;
  }
  base::PutText(out, identifiers);
  base::PutBe32(out, write.version);
  base::PutText(out, write.body);
}

// Takes a field off the front; false when there is none.
bool TakeField(std::string_view& in, std::string_view& field) {
  if (in.size() < 4) return false;
  const uint32_t length = base::GetBe32(in);
  if (in.size() - 4 < length) return false;
  field = in.substr(4, length);
  in.remove_prefix(4 + length);
  return true;
}

bool TakeWrite(std::string_view& in, Write& write) {
  std::string_view type, id, organization, patient, natural_key, identifiers, body;
  if (!TakeField(in, type) || !TakeField(in, id) || !TakeField(in, organization) ||
      !TakeField(in, patient) || !TakeField(in, natural_key) || !TakeField(in, identifiers) ||
      in.size() < 4) {
    return false;
  }
  write.version = base::GetBe32(in);
  in.remove_prefix(4);
  if (!TakeField(in, body)) return false;
  write.type = type;
  write.id = id;
  write.organization = organization;
  write.patient = patient;
  write.natural_key = natural_key;
  write.identifiers.clear();
  while (!identifiers.empty()) {
    const size_t end = identifiers.find('\0');
    write.identifiers.emplace_back(identifiers.substr(0, end));
    identifiers = end == std::string_view::npos ? std::string_view() : identifiers.substr(end + 1);
  }
  write.body = body;
  return true;
}

// Writes all of it; false leaves errno.
bool WriteAll(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return true;
}

// Reads exactly that many bytes; false at the end of the file or on an error.
bool ReadAll(int fd, char* out, size_t count, uint64_t offset) {
  while (count > 0) {
    const ssize_t n = ::pread(fd, out, count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out += n;
    count -= static_cast<size_t>(n);
    offset += static_cast<uint64_t>(n);
  }
  return true;
}

// True when the file holds nothing but zeros in [from, end), or less than a frame's head.
bool OnlyZeros(int fd, uint64_t from, uint64_t end) {
  if (end - from < kFrameHead) return true;
  std::string block;
  while (from < end) {
    block.resize(std::min<uint64_t>(end - from, 64 * 1024));
    if (!ReadAll(fd, block.data(), block.size(), from)) return false;
    if (block.find_first_not_of('\0') != std::string::npos) return false;
    from += block.size();
  }
  return true;
}

// What the folder may hold; of ports.json the command knows.
constexpr std::array<std::string_view, 3> kOurs = {"LOCK", "resources.journal", "ports.json"};

}  // namespace

class Store::Lock {
 public:
  explicit Lock(base::FileLock lock) : lock_(std::move(lock)) {}

 private:
  base::FileLock lock_;
};

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::filesystem::path& folder,
                                                   bool sync_every_commit) {
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
  SIMPUL_ASSIGN_OR_RETURN(base::FileLock lock, base::FileLock::Acquire(folder / "LOCK"));
  SIMPUL_RETURN_IF_ERROR(base::CheckNothingElse(folder, kOurs));
  std::unique_ptr<Store> store(new Store());
  store->lock_ = std::make_unique<Lock>(std::move(lock));
  store->sync_ = sync_every_commit;
  const std::filesystem::path path = folder / "resources.journal";
  store->fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->fd_ < 0) {
    return absl::UnavailableError(
        fmt::format("{} cannot be opened: {}.", path.string(), std::strerror(errno)));
  }
  if (absl::Status read = store->ReadJournal(); !read.ok()) {
    return base::Within(path.string(), read);
  }
  return store;
}

Store::~Store() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status Store::ReadJournal() {
  struct stat stat_of = {};
  if (::fstat(fd_, &stat_of) != 0) return absl::UnavailableError("cannot be examined.");
  const auto end = static_cast<uint64_t>(stat_of.st_size);
  char magic[8];
  if (end < kMagic.size()) {
    if (::ftruncate(fd_, 0) != 0 || !WriteAll(fd_, kMagic, 0)) {
      return absl::UnavailableError(fmt::format("cannot be written: {}.", std::strerror(errno)));
    }
    size_ = kMagic.size();
    return absl::OkStatus();
  }
  if (!ReadAll(fd_, magic, sizeof magic, 0) || std::string_view(magic, 8) != kMagic) {
    return absl::FailedPreconditionError(
        "was not written by this version of the sandbox. Choose another --data folder.");
  }
  size_ = kMagic.size();
  std::string payload;
  Write write;
  while (size_ < end) {
    char head[kFrameHead];
    bool whole = end - size_ >= kFrameHead && ReadAll(fd_, head, kFrameHead, size_);
    const uint32_t length = whole ? base::GetBe32(std::string_view(head, kFrameHead)) : 0;
    whole = whole && length > 0 && length <= kFrameMax && length <= end - size_ - kFrameHead;
    if (whole) {
      payload.resize(length);
      whole = ReadAll(fd_, payload.data(), length, size_ + kFrameHead) &&
              Checksum(payload) == base::GetBe64(std::string_view(head, kFrameHead).substr(4));
    }
    if (!whole) {
      // Only the last frame may be cut off: nothing follows it, or nothing but zeros.
      const bool cut_off = end - size_ < kFrameHead || length > end - size_ - kFrameHead ||
                           size_ + kFrameHead + length == end;
      if (!(length > 0 ? cut_off && length <= kFrameMax : OnlyZeros(fd_, size_, end))) {
        return absl::DataLossError(fmt::format("is damaged at byte {}.", size_));
      }
      if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) {
        return absl::UnavailableError("cannot be cut back to its last whole commit.");
      }
      return absl::OkStatus();
    }
    std::string_view rest = payload;
    while (!rest.empty()) {
      const uint64_t offset = size_ + kFrameHead + (payload.size() - rest.size());
      const size_t before = rest.size();
      if (!TakeWrite(rest, write)) {
        return absl::DataLossError(fmt::format("holds an unreadable commit at byte {}.", size_));
      }
      Index(write, offset, static_cast<uint32_t>(before - rest.size()));
    }
    size_ += kFrameHead + length;
  }
  return absl::OkStatus();
}

uint16_t Store::Intern(std::vector<std::string>& names, std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<uint16_t>(i);
  }
  names.emplace_back(name);
  return static_cast<uint16_t>(names.size() - 1);
}

bool Store::AddLink(absl::flat_hash_map<Key, Chain>& chains, const Key& key, Place place,
                    bool is_new) {
  Chain& chain = chains[key];
  // A new resource is in no chain yet, so that a long one need not be searched.
  for (uint32_t at = is_new ? kNone : chain.first; at != kNone; at = links_[at].next) {
    if (links_[at].place == place) return chain.first != chain.last;
  }
  const auto at = static_cast<uint32_t>(links_.size());
  links_.push_back({place, kNone});
  if (chain.last == kNone) {
    chain.first = at;
  } else {
    links_[chain.last].next = at;
  }
  chain.last = at;
  return chain.first != chain.last;
}

void Store::Index(const Write& write, uint64_t offset, uint32_t length) {
  const uint16_t type = Intern(types_, write.type);
  if (type == counts_.size()) {
    counts_.emplace_back();
    of_type_.emplace_back();
  }
  const auto [found, is_new] =
      by_id_.try_emplace(HashOf('i', write.type, write.id), static_cast<Place>(records_.size()));
  const Place place = found->second;
  if (is_new) {
    records_.emplace_back();
    of_type_[type].push_back(place);
    ++counts_[type].creates;
    if (write.identifiers.empty()) ++counts_[type].without_identifier;
  } else {
    ++counts_[type].updates;
  }
  records_[place] = {offset,        length,
                     write.version, PatientHash(write.patient),
                     type,          Intern(organizations_, write.organization)};
  for (const std::string& identifier : write.identifiers) {
    const Key key = HashOf('n', write.type, identifier);
    if (AddLink(by_identifier_, key, place, is_new) && NamesOneResource(identifier)) {
      repeated_identifiers_.insert(key);
    }
  }
  if (!write.patient.empty()) {
    AddLink(by_patient_, HashOf('p', write.type, write.patient), place, is_new);
  }
  if (is_new && !write.natural_key.empty()) {
    const Key key = HashOf('k', write.type, write.natural_key);
    if (AddLink(by_natural_key_, key, place, is_new)) repeated_natural_keys_.insert(key);
  }
}

bool Store::IsDuplicate(const Write& write) const {
  const uint64_t patient = PatientHash(write.patient);
  for (const std::string& identifier : write.identifiers) {
    if (!NamesOneResource(identifier)) continue;
    const auto chain = by_identifier_.find(HashOf('n', write.type, identifier));
    if (chain == by_identifier_.end()) continue;
    for (uint32_t at = chain->second.first; at != kNone; at = links_[at].next) {
      if (records_[links_[at].place].patient_hash == patient) return true;
    }
  }
  return false;
}

absl::StatusOr<Committed> Store::Commit(std::span<const Write> writes, bool refuse_duplicates) {
  if (writes.empty()) return Committed{};
  std::string frame(kFrameHead, '\0');
  std::vector<uint32_t> starts;
  starts.reserve(writes.size() + 1);
  size_t expected = 0;
  for (const Write& write : writes) expected += write.body.size() + 400;
  frame.reserve(expected);
  for (const Write& write : writes) {
    starts.push_back(static_cast<uint32_t>(frame.size()));
    PutWrite(frame, write);
  }
  starts.push_back(static_cast<uint32_t>(frame.size()));
  std::string head;
  base::PutBe32(head, static_cast<uint32_t>(frame.size() - kFrameHead));
  base::PutBe64(head, Checksum(std::string_view(frame).substr(kFrameHead)));
  frame.replace(0, kFrameHead, head);

  std::unique_lock lock(mutex_);
  if (broken_) return absl::UnavailableError("The journal could not be written before.");
  for (size_t i = 0; i < writes.size(); ++i) {
    const Record* present = FindRecord(writes[i].type, writes[i].id);
    const uint32_t version = present == nullptr ? 0 : present->version;
    if (writes[i].version != version + 1) return Committed{Committed::Outcome::kStale, i};
    if (!refuse_duplicates || writes[i].version != 1) continue;
    if (IsDuplicate(writes[i])) return Committed{Committed::Outcome::kDuplicate, i};
    for (size_t j = 0; j < i; ++j) {
      if (writes[j].version != 1 || writes[j].type != writes[i].type ||
          writes[j].patient != writes[i].patient) {
        continue;
      }
      for (const std::string& identifier : writes[i].identifiers) {
        if (NamesOneResource(identifier) &&
            std::find(writes[j].identifiers.begin(), writes[j].identifiers.end(), identifier) !=
                writes[j].identifiers.end()) {
          return Committed{Committed::Outcome::kDuplicate, i};
        }
      }
    }
  }
  if (!WriteAll(fd_, frame, size_) || (sync_ && ::fdatasync(fd_) != 0)) {
    const int why = errno;
    broken_ = ::ftruncate(fd_, static_cast<off_t>(size_)) != 0;
    return absl::UnavailableError(
        fmt::format("The journal cannot be written: {}.", std::strerror(why)));
  }
  for (size_t i = 0; i < writes.size(); ++i) {
    Index(writes[i], size_ + starts[i], starts[i + 1] - starts[i]);
  }
  size_ += frame.size();
  return Committed{};
}

const Store::Record* Store::FindRecord(std::string_view type, std::string_view id) const {
  const auto found = by_id_.find(HashOf('i', type, id));
  return found == by_id_.end() ? nullptr : &records_[found->second];
}

Stored Store::Read(const Record& record) const {
  Stored stored;
  std::string bytes(record.length, '\0');
  Write write;
  std::string_view rest = bytes;
  if (!ReadAll(fd_, bytes.data(), bytes.size(), record.offset) || !TakeWrite(rest, write)) {
    return stored;
  }
  stored.type = std::move(write.type);
  stored.id = std::move(write.id);
  stored.organization = std::move(write.organization);
  stored.body = std::move(write.body);
  stored.version = write.version;
  return stored;
}

bool Store::Contains(std::string_view type, std::string_view id) const {
  std::shared_lock lock(mutex_);
  return FindRecord(type, id) != nullptr;
}

std::optional<Stored> Store::Head(std::string_view type, std::string_view id) const {
  std::shared_lock lock(mutex_);
  const Record* record = FindRecord(type, id);
  if (record == nullptr) return std::nullopt;
  Stored head;
  head.type = type;
  head.id = id;
  head.organization = organizations_[record->organization];
  head.version = record->version;
  return head;
}

std::optional<Stored> Store::Get(std::string_view type, std::string_view id) const {
  std::shared_lock lock(mutex_);
  const Record* record = FindRecord(type, id);
  if (record == nullptr) return std::nullopt;
  Stored stored = Read(*record);
  if (stored.type != type || stored.id != id) return std::nullopt;
  return stored;
}

std::vector<Stored> Store::ReadChain(const absl::flat_hash_map<Key, Chain>& chains,
                                     const Key& key) const {
  std::vector<Stored> found;
  const auto chain = chains.find(key);
  if (chain == chains.end()) return found;
  for (uint32_t at = chain->second.first; at != kNone; at = links_[at].next) {
    found.push_back(Read(records_[links_[at].place]));
  }
  return found;
}

std::vector<Stored> Store::WithIdentifier(std::string_view type,
                                          std::string_view identifier) const {
  std::shared_lock lock(mutex_);
  return ReadChain(by_identifier_, HashOf('n', type, identifier));
}

std::vector<Stored> Store::AboutPatient(std::string_view type, std::string_view patient) const {
  std::shared_lock lock(mutex_);
  return ReadChain(by_patient_, HashOf('p', type, patient));
}

std::vector<Stored> Store::List(std::string_view type, size_t offset, size_t count) const {
  std::shared_lock lock(mutex_);
  std::vector<Stored> found;
  if (type.empty()) {
    for (size_t i = offset; i < records_.size() && found.size() < count; ++i) {
      found.push_back(Read(records_[i]));
    }
    return found;
  }
  const auto name = std::find(types_.begin(), types_.end(), type);
  if (name == types_.end()) return found;
  const std::vector<Place>& places = of_type_[static_cast<size_t>(name - types_.begin())];
  for (size_t i = offset; i < places.size() && found.size() < count; ++i) {
    found.push_back(Read(records_[places[i]]));
  }
  return found;
}

size_t Store::Count(std::string_view type) const {
  std::shared_lock lock(mutex_);
  if (type.empty()) return records_.size();
  const auto name = std::find(types_.begin(), types_.end(), type);
  return name == types_.end() ? 0 : of_type_[static_cast<size_t>(name - types_.begin())].size();
}

std::vector<std::pair<std::string, Store::TypeCounts>> Store::Counts() const {
  std::shared_lock lock(mutex_);
  std::map<std::string, TypeCounts> by_type;
  for (size_t i = 0; i < types_.size(); ++i) by_type[types_[i]] = counts_[i];
  return {by_type.begin(), by_type.end()};
}

std::vector<CreatedTwice> Store::FindCreatedTwice() const {
  std::shared_lock lock(mutex_);
  std::map<std::vector<std::string>, std::string> found;  // ids to type: named once
  auto examine = [&](const absl::flat_hash_map<Key, Chain>& chains, const Key& key) {
    std::map<std::pair<uint16_t, uint64_t>, std::vector<std::string>> by_patient;
    for (uint32_t at = chains.at(key).first; at != kNone; at = links_[at].next) {
      const Record& record = records_[links_[at].place];
      by_patient[{record.type, record.patient_hash}].push_back(Read(record).id);
    }
    for (auto& [type_and_patient, ids] : by_patient) {
      if (ids.size() > 1) found.emplace(std::move(ids), types_[type_and_patient.first]);
    }
  };
  for (const Key& key : repeated_identifiers_) examine(by_identifier_, key);
  for (const Key& key : repeated_natural_keys_) examine(by_natural_key_, key);
  std::vector<CreatedTwice> twice;
  for (auto& [ids, type] : found) twice.push_back({type, ids});
  return twice;
}

uint64_t Store::journal_bytes() const {
  std::shared_lock lock(mutex_);
  return size_;
}

}  // namespace simpul::sandbox
