#include "lib/timeline/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/status_macros.h"

namespace simpul::timeline {
namespace {

constexpr char kFormat = 2;
constexpr size_t kHeadBytes = 1 + 1 + 4 + 8 + 4 + 4 + 4;
constexpr size_t kReferenceBytes = 8 + 4;
// A page is rewritten whole at every change: at most 3 KiB.
constexpr uint32_t kReferencesPerPage = 128;

// Kinds of key.
constexpr char kHead = 0;
constexpr char kEntry = 1;
constexpr char kWaiting = 2;
constexpr char kPage = 3;

void AppendKey(std::string& out, const event::SubjectKey& subject, char kind,
               std::optional<uint32_t> number) {
  out.push_back('p');
  out.append(subject.view());
  out.push_back(kind);
  if (number.has_value()) base::PutBe32(out, *number);
}

std::string Key(const event::SubjectKey& subject, char kind, std::optional<uint32_t> number) {
  std::string key;
  key.reserve(22);
  AppendKey(key, subject, kind, number);
  return key;
}

// Where the first reference stands that is not below it.
size_t LowerBound(std::string_view references, uint64_t reference) {
  size_t first = 0;
  size_t count = references.size() / kReferenceBytes;
  while (count > 0) {
    const size_t half = count / 2;
    if (base::GetBe64(references.substr((first + half) * kReferenceBytes)) < reference) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first * kReferenceBytes;
}

bool IsAt(std::string_view references, size_t at, uint64_t reference) {
  return at < references.size() && base::GetBe64(references.substr(at)) == reference;
}

template <typename List>
auto Held(const List& list, uint32_t number) -> decltype(list.front().second.get()) {
  for (const auto& [held, value] : list) {
    if (held == number) return value.get();
  }
  return nullptr;
}

template <typename List>
auto& Add(List& list, uint32_t number) {
  using Value = typename List::value_type::second_type::element_type;
  return *list.emplace_back(number, std::make_unique<Value>()).second;
}

}  // namespace

void AppendHeadKey(std::string& out, const event::SubjectKey& subject) {
  AppendKey(out, subject, kHead, std::nullopt);
}
std::string EntryKey(const event::SubjectKey& subject, uint32_t number) {
  return Key(subject, kEntry, number);
}
std::string WaitingKey(const event::SubjectKey& subject, uint32_t number) {
  return Key(subject, kWaiting, number);
}
std::string PageKey(const event::SubjectKey& subject, uint32_t number) {
  return Key(subject, kPage, number);
}

absl::Status History::Damaged(std::string_view what) const {
  return absl::DataLossError(
      fmt::format("The stored {} of a patient cannot be read. Delete the timeline's folder: it is "
                  "made again from the log.",
                  what));
}

absl::Status History::Load() {
  if (loaded_) return absl::OkStatus();
  SIMPUL_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                          (*read_)(Key(subject_, kHead, std::nullopt)));
  if (!value.has_value()) return TakeHead(std::nullopt);
  return TakeHead(std::string_view(*value));
}

absl::Status History::TakeHead(std::optional<std::string_view> value) {
  loaded_ = true;
  if (!value.has_value()) return absl::OkStatus();
  std::string_view in = *value;
  if (in.size() < kHeadBytes || in[0] != kFormat) return Damaged("head");
  page_bits_ = static_cast<uint8_t>(in[1]);
  events_ = base::GetBe32(in.substr(2));
  bytes_ = base::GetBe64(in.substr(6));
  next_entry_ = base::GetBe32(in.substr(14));
  next_waiting_ = base::GetBe32(in.substr(18));
  references_ = base::GetBe32(in.substr(22));
  in.remove_prefix(kHeadBytes);
  if (page_bits_ > 16) return Damaged("head");
  const size_t size = page_bits_ > 0 ? 0 : size_t{references_} * kReferenceBytes;
  if (in.size() < size) return Damaged("head");
  facts_bytes_ = in.substr(size);
  if (size == 0) return absl::OkStatus();
  // Room for what one event adds.
  head_page_.references.reserve(size + 2 * kReferenceBytes);
  head_page_.references = in.substr(0, size);
  return absl::OkStatus();
}

absl::StatusOr<History::Page*> History::PageAt(uint32_t number) {
  if (page_bits_ == 0) return &head_page_;
  for (const std::unique_ptr<Page>& page : pages_) {
    if (page->number == number) return page.get();
  }
  SIMPUL_ASSIGN_OR_RETURN(std::optional<std::string> value, (*read_)(PageKey(subject_, number)));
  if (!value.has_value() || value->size() % kReferenceBytes != 0) return Damaged("page");
  Page& page = *pages_.emplace_back(std::make_unique<Page>());
  page.number = number;
  page.references = *std::move(value);
  return &page;
}

absl::StatusOr<History::Page*> History::PageOf(uint64_t reference) {
  SIMPUL_RETURN_IF_ERROR(Load());
  return PageAt(page_bits_ == 0 ? 0 : static_cast<uint32_t>(reference >> (64 - page_bits_)));
}

absl::StatusOr<std::optional<uint32_t>> History::Find(uint64_t reference) {
  SIMPUL_ASSIGN_OR_RETURN(Page * page, PageOf(reference));
  const size_t at = LowerBound(page->references, reference);
  if (!IsAt(page->references, at, reference)) return std::nullopt;
  return base::GetBe32(std::string_view(page->references).substr(at + 8));
}

absl::Status History::Set(uint64_t reference, uint32_t number) {
  SIMPUL_ASSIGN_OR_RETURN(Page * page, PageOf(reference));
  const size_t at = LowerBound(page->references, reference);
  page->changed = changed_ = true;
  std::string row;
  base::PutBe64(row, reference);
  base::PutBe32(row, number);
  if (IsAt(page->references, at, reference)) {
    page->references.replace(at, kReferenceBytes, row);
    return absl::OkStatus();
  }
  page->references.insert(at, row);
  ++references_;
  if (references_ > kReferencesPerPage << page_bits_) return Grow();
  return absl::OkStatus();
}

absl::Status History::Erase(uint64_t reference) {
  SIMPUL_ASSIGN_OR_RETURN(Page * page, PageOf(reference));
  const size_t at = LowerBound(page->references, reference);
  if (!IsAt(page->references, at, reference)) return absl::OkStatus();
  page->references.erase(at, kReferenceBytes);
  page->changed = changed_ = true;
  --references_;
  return absl::OkStatus();
}

// Twice as many pages: each is split in two by one more bit, so order is kept.
absl::Status History::Grow() {
  std::vector<std::unique_ptr<Page>> pages;
  for (uint32_t number = 0; number < 1u << page_bits_; ++number) {
    SIMPUL_ASSIGN_OR_RETURN(Page * page, PageAt(number));
    const size_t at =
        LowerBound(page->references, ((uint64_t{number} << 1 | 1) << (63 - page_bits_)));
    Page& low = *pages.emplace_back(std::make_unique<Page>());
    Page& high = *pages.emplace_back(std::make_unique<Page>());
    low.number = number * 2;
    high.number = number * 2 + 1;
    low.changed = high.changed = true;
    low.references = page->references.substr(0, at);
    high.references = page->references.substr(at);
  }
  head_page_ = {};
  pages_ = std::move(pages);
  ++page_bits_;
  return absl::OkStatus();
}

absl::StatusOr<PatientFacts*> History::Facts() {
  SIMPUL_RETURN_IF_ERROR(Load());
  if (!facts_.has_value()) {
    facts_ = PatientFacts::Decode(facts_bytes_);
    if (!facts_.has_value()) return Damaged("facts");
  }
  return &*facts_;
}

absl::StatusOr<uint32_t> History::events() {
  SIMPUL_RETURN_IF_ERROR(Load());
  return events_;
}

absl::StatusOr<uint64_t> History::bytes() {
  SIMPUL_RETURN_IF_ERROR(Load());
  return bytes_;
}

absl::Status History::Count(size_t event_bytes) {
  SIMPUL_RETURN_IF_ERROR(Load());
  ++events_;
  bytes_ += event_bytes;
  changed_ = true;
  return absl::OkStatus();
}

absl::StatusOr<LoadedEntry*> History::EntryAt(uint32_t number) {
  if (LoadedEntry* loaded = Held(entries_, number)) return loaded;
  SIMPUL_ASSIGN_OR_RETURN(std::optional<std::string> value, (*read_)(EntryKey(subject_, number)));
  if (!value.has_value() || value->empty()) return Damaged("entry");
  LoadedEntry& loaded = Add(entries_, number);
  loaded.bytes = *std::move(value);
  return &loaded;
}

absl::StatusOr<std::pair<uint32_t, LoadedEntry*>> History::NewEntry() {
  SIMPUL_RETURN_IF_ERROR(Load());
  changed_ = true;
  const uint32_t number = next_entry_++;
  return std::pair(number, &Add(entries_, number));
}

absl::StatusOr<Waiting*> History::WaitingAt(uint32_t number) {
  number &= ~kOnWaiting;
  if (Waiting* waiting = Held(waiting_, number)) return waiting;
  SIMPUL_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                          (*read_)(WaitingKey(subject_, number)));
  if (!value.has_value()) return Damaged("waiting list");
  Waiting& waiting = Add(waiting_, number);
  std::string_view in = *value;
  while (!in.empty()) {
    if (in.size() < 13) return Damaged("waiting list");
    Waiting::Item& item = waiting.items.emplace_back();
    item.dead = in[0] != 0;
    item.position = static_cast<int64_t>(base::GetBe64(in.substr(1)));
    const uint32_t size = base::GetBe32(in.substr(9));
    in.remove_prefix(13);
    if (in.size() < size || !item.receipt.ParseFromArray(in.data(), static_cast<int>(size))) {
      return Damaged("waiting list");
    }
    in.remove_prefix(size);
  }
  return &waiting;
}

absl::StatusOr<std::pair<uint32_t, Waiting*>> History::NewWaiting() {
  SIMPUL_RETURN_IF_ERROR(Load());
  changed_ = true;
  const uint32_t number = next_waiting_++;
  return std::pair(number | kOnWaiting, &Add(waiting_, number));
}

void History::Changes(
    absl::FunctionRef<void(std::string_view key, const std::string* value)> change) {
  std::string value;
  const auto at = [this](char kind, std::optional<uint32_t> number) {
    return Key(subject_, kind, number);
  };
  if (changed_) {
    if (facts_changed_) facts_bytes_ = facts_->Encode();
    value.reserve(kHeadBytes + head_page_.references.size() + facts_bytes_.size());
    value.push_back(kFormat);
    value.push_back(static_cast<char>(page_bits_));
    base::PutBe32(value, events_);
    base::PutBe64(value, bytes_);
    base::PutBe32(value, next_entry_);
    base::PutBe32(value, next_waiting_);
    base::PutBe32(value, references_);
    value.append(head_page_.references);
    value.append(facts_bytes_);
    change(at(kHead, std::nullopt), &value);
  }
  for (const std::unique_ptr<Page>& page : pages_) {
    if (page->changed) change(at(kPage, page->number), &page->references);
  }
  for (const auto& [number, entry] : entries_) {
    if (entry->changed) change(at(kEntry, number), &entry->bytes);
  }
  for (const auto& [number, waiting] : waiting_) {
    if (waiting->items.empty()) {
      change(at(kWaiting, number), nullptr);
      continue;
    }
    value.clear();
    for (const Waiting::Item& item : waiting->items) {
      const std::string receipt = item.receipt.SerializeAsString();
      value.push_back(item.dead ? 1 : 0);
      base::PutBe64(value, static_cast<uint64_t>(item.position));
      base::PutBe32(value, static_cast<uint32_t>(receipt.size()));
      value.append(receipt);
    }
    change(at(kWaiting, number), &value);
  }
}

}  // namespace simpul::timeline
