// Valid, realistic, invented events, the same each time: at least one of every kind.
//
// The people, numbers and facilities exist nowhere else. Times lie in January and February 2026, in
// the zone of Sulawesi (UTC+8), all before SampleNow().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/event/kind.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::testing {

// 2026-03-01T00:00:00Z: the time at which the samples are pushed.
base::Time SampleNow();

// The n-th fixed event id: 5a3b1e00-0000-4000-8000-<n as 12 hexadecimal digits>.
std::string SampleEventId(uint64_t n);

// kemenkes P7324020101 and its hospital kemenkes 7324011.
event::v1::Facility SamplePuskesmas();
event::v1::Facility SampleHospital();

// A boy of two with a NIK and a posyandu number, a woman of 29 with a NIK, her newborn without a
// NIK, a man of 66 with a NIK and an insurance card, a traveller with a passport.
event::v1::Subject SampleChild();
event::v1::Subject SampleMother();
event::v1::Subject SampleNewborn();
event::v1::Subject SampleElder();
event::v1::Subject SampleTraveller();

// An event of the Puskesmas' posyandu without payload: everything the envelope needs, recorded by a
// kader one hour after it happened. `local_time` is like 2026-02-03T09:15 and is UTC+8.
event::v1::Event SampleEnvelope(uint64_t id, const event::v1::Subject& subject,
                                std::string_view local_time);

// The instant of a local time as above.
base::Time SampleTime(std::string_view local_time);

// The smallest event a posyandu sends: envelope, encounter class, weight.
event::v1::Event SampleWeighing();

// One sample.
struct SampleEvent {
  std::string_view name;  // snake_case, unique, fit for file names
  event::v1::Event event;
};

// All of them, by id. Corrections, retractions and unlinks refer to events of the same list.
const std::vector<SampleEvent>& SampleEvents();

// The sample of that name. Ends the process when there is none.
const event::v1::Event& SampleNamed(std::string_view name);

// The first sample of that kind.
const event::v1::Event& SampleOf(event::Kind kind);

}  // namespace simpul::testing
