// What a visit measured, as the rules of growth take it. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "lib/rules/growth.h"
#include "lib/rules/kms.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::timeline {

// Whether the event measured something growth is about.
bool MeasuresGrowth(const event::v1::Event& event);

// `day` on the wall calendar where it took place.
rules::Measurement MeasurementOf(const event::v1::Visit& visit, std::chrono::sys_days day,
                                 const rules::KmsChild& child);

// What the growth card asks of a weight's z-score; nullopt without one.
std::optional<rules::KmsWeightForAge> WeightForAge(const rules::Growth& growth);

// Whether a health worker diagnosed hypertension or diabetes (ICD-10 I10-I15, E10-E14). What a
// kader writes is no diagnosis.
bool IsHypertensionOrDiabetesDiagnosed(const event::v1::Event& event);

// What an event tells of a person's life.
struct LifeTold {
  bool died = false;  // else alive after all: whatever was told before is undone
  std::chrono::sys_days day;
};
// Nullopt for events that tell neither, and for exercises.
std::optional<LifeTold> LifeToldBy(const event::v1::Event& event);

}  // namespace simpul::timeline
