#include "forwarder/step_log.h"

#include "lib/base/uuid.h"
#include "lib/eventlog/cloud_event.h"

namespace simpul::forwarder {
namespace {

// After the log had no room.
constexpr std::chrono::milliseconds kRoomPause{100};
// After it did not take what it had room for.
constexpr std::chrono::seconds kFailurePause{1};

}  // namespace

eventlog::Draft DraftOf(std::string key, log::v1::DeliveryRecord step) {
  log::v1::LogRecord record;
  *record.mutable_delivery() = std::move(step);
  eventlog::Draft draft;
  draft.topic = eventlog::Topic::kDeliveries;
  draft.key = std::move(key);
  draft.value = record.SerializeAsString();
  eventlog::Describe(record, draft);
  return draft;
}

void StepLog::Append(const About& about, log::v1::DeliveryRecord step) {
  Kept& kept = kept_[about.entry_id];
  if (kept.number == 0) kept.number = next_number_++;
  kept.about = about;
  kept.step = step;
  Draft(about, std::move(step), kept.number);
}

void StepLog::AppendOnce(const About& about, log::v1::DeliveryRecord step) {
  Draft(about, std::move(step), 0);
}

void StepLog::Draft(const About& about, log::v1::DeliveryRecord step, uint64_t number) {
  step.set_claim(claim_);
  step.set_at_us(base::ToMicros(clock_.Now()));
  eventlog::Draft draft = DraftOf(about.subject_key, std::move(step));
  draft.ce_id = base::UuidText(about.entry_id);
  draft.ce_source = about.facility_code;
  drafts_.push_back(std::move(draft));
  whose_.push_back({about.entry_id, number});
}

void StepLog::Flush() {
  const base::Time now = clock_.Now();
  if (drafts_.empty() || now < not_before_) return;
  size_t bytes = 0;
  for (const eventlog::Draft& draft : drafts_) bytes += draft.value.size() + draft.key.size() + 64;
  auto admission = log_.Admit(bytes);
  if (!admission.ok()) {
    not_before_ = now + kRoomPause;
    return;
  }
  std::vector<eventlog::Draft> drafts;
  drafts.swap(drafts_);
  std::vector<Whose> whose;
  whose.swap(whose_);
  {
    const std::lock_guard lock(mutex_);
    ++in_flight_;
  }
  log_.Append(std::move(drafts), *std::move(admission),
              [this, whose = std::move(whose)](std::vector<eventlog::Appended> answers) mutable {
                std::vector<Whose> failed;
                for (size_t i = 0; i < answers.size(); ++i) {
                  if (!answers[i].ok() && whose[i].number != 0)
                    failed.push_back(std::move(whose[i]));
                }
                if (!failed.empty()) {
                  post_([this, failed = std::move(failed)] { AppendAgain(failed); });
                }
                const std::lock_guard lock(mutex_);
                --in_flight_;
                answered_.notify_all();
              });
}

void StepLog::AppendAgain(const std::vector<Whose>& failed) {
  not_before_ = clock_.Now() + kFailurePause;
  for (const Whose& whose : failed) {
    const auto it = kept_.find(whose.entry_id);
    // Written twice is harmless; not read back is a standstill.
    if (it == kept_.end() || it->second.number != whose.number) continue;
    Draft(it->second.about, it->second.step, whose.number);
  }
}

std::optional<base::Time> StepLog::WaitsUntil(base::Time now) const {
  if (drafts_.empty() || not_before_ <= now) return std::nullopt;
  return not_before_;
}

void StepLog::AwaitAnswers() {
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [this] { return in_flight_ == 0; });
}

}  // namespace simpul::forwarder
