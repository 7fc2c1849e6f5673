// Small histories of one patient that have every difficulty of order in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simpul/event/v1/event.pb.h"

namespace simpul::testing {

// Building blocks: events of the sample child at the sample Puskesmas. `id` numbers the event,
// times are local like 2026-02-03T09:15.
event::v1::Event Weighing(uint64_t id, std::string_view local_time, std::string_view visit_id = "",
                          uint32_t weight_g = 10'000);
event::v1::Event VitaminA(uint64_t id, std::string_view local_time, std::string_view visit_id = "");
event::v1::Event Registration(uint64_t id, std::string_view local_time, std::string_view name);
event::v1::Event Status(uint64_t id, std::string_view local_time, event::v1::LifeStatus status);
// A KPSP with that result, as the form words it.
event::v1::Event Kpsp(uint64_t id, std::string_view local_time, std::string_view result_text);
event::v1::Event ReferralStep(uint64_t id, std::string_view local_time, std::string_view number,
                              event::v1::ReferralState state);

// Of `original`, recorded at that time. The replacement is the original with other findings.
event::v1::Event CorrectionOf(uint64_t id, const event::v1::Event& original,
                              std::string_view recorded_at, uint32_t weight_g);
event::v1::Event CorrectionWith(uint64_t id, const event::v1::Event& original,
                                std::string_view recorded_at, event::v1::Event replacement);
event::v1::Event RetractionOf(uint64_t id, const event::v1::Event& original,
                              std::string_view recorded_at);

struct Story {
  std::string name;
  std::vector<event::v1::Event> events;
};

// At most 7 events each; all permutations are few enough to try.
const std::vector<Story>& Stories();

// A random child over two years: weighings, late, corrected and taken back, registrations that say
// other birth dates and sexes, deaths that were none. Every event is of use.
std::vector<event::v1::Event> GrowthStory(uint64_t seed, size_t events);

// A long random history of one patient: visits, amendments of every kind, right and wrong.
std::vector<event::v1::Event> RandomStory(uint64_t seed, size_t events);

}  // namespace simpul::testing
