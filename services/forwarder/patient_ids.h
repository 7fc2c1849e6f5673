// What the platform calls our patients, kept for a while. Bounded; the oldest goes first.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/base/clock.h"

namespace simpul::forwarder {

// Used from one thread.
class PatientIds {
 public:
  PatientIds(size_t patients_max, std::chrono::milliseconds miss_lasts)
      : patients_max_(patients_max), miss_lasts_(miss_lasts) {}

  // What is known of a subject key.
  struct Known {
    std::string id;      // empty: the platform did not know the patient
    std::string reason;  // of a miss: patient_unknown, patient_ambiguous
    base::Time until;    // of a miss: when it is asked again
  };
  // Nullopt: ask. Misses that have expired are forgotten.
  std::optional<Known> Find(std::string_view subject_key, base::Time now);

  void Remember(std::string_view subject_key, std::string id);
  void RememberMiss(std::string_view subject_key, std::string reason, base::Time now);
  void ForgetMisses();
  size_t size() const { return by_key_.size(); }

 private:
  struct Row {
    std::string subject_key;
    Known known;
  };
  void Put(std::string_view subject_key, Known known);

  const size_t patients_max_;
  const std::chrono::milliseconds miss_lasts_;
  std::list<Row> rows_;  // the last used first
  std::unordered_map<std::string, std::list<Row>::iterator> by_key_;
};

}  // namespace simpul::forwarder
