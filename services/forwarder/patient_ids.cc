#include "forwarder/patient_ids.h"

namespace simpul::forwarder {

std::optional<PatientIds::Known> PatientIds::Find(std::string_view subject_key, base::Time now) {
  const auto it = by_key_.find(std::string(subject_key));
  if (it == by_key_.end()) return std::nullopt;
  if (it->second->known.id.empty() && it->second->known.until <= now) {
    rows_.erase(it->second);
    by_key_.erase(it);
    return std::nullopt;
  }
  rows_.splice(rows_.begin(), rows_, it->second);
  return it->second->known;
}

void PatientIds::Remember(std::string_view subject_key, std::string id) {
  Put(subject_key, Known{std::move(id), "", {}});
}

void PatientIds::RememberMiss(std::string_view subject_key, std::string reason, base::Time now) {
  Put(subject_key, Known{"", std::move(reason), now + miss_lasts_});
}

void PatientIds::ForgetMisses() {
  for (auto row = rows_.begin(); row != rows_.end();) {
    if (row->known.id.empty()) {
      by_key_.erase(row->subject_key);
      row = rows_.erase(row);
    } else {
      ++row;
    }
  }
}

void PatientIds::Put(std::string_view subject_key, Known known) {
  const auto it = by_key_.find(std::string(subject_key));
  if (it != by_key_.end()) {
    it->second->known = std::move(known);
    rows_.splice(rows_.begin(), rows_, it->second);
    return;
  }
  rows_.push_front({std::string(subject_key), std::move(known)});
  by_key_.emplace(rows_.front().subject_key, rows_.begin());
  if (rows_.size() > patients_max_) {
    by_key_.erase(rows_.back().subject_key);
    rows_.pop_back();
  }
}

}  // namespace simpul::forwarder
