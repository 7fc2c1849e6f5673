// Entries as the timeline makes them, out of sample events, and the directory that knows their
// places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/fhir/directory.h"
#include "lib/fhir/map.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::fhir {

// 16 bytes that stand for the patient of every entry here: 00 01 .. 0f.
std::string TestSubjectKey();

// One entry of events that belong together, in timeline order. Corrections among them count in
// place of their originals, retractions take them back, as the timeline does.
timeline::v1::Entry EntryOf(const std::vector<event::v1::Event>& events);

// Knows the samples' Puskesmas (100027469) with its posyandu, and the hospital (100011111); a
// default practitioner for the posyandu and one for the rest.
std::string TestDirectoryJson();
Directory TestDirectory();

// Mapped, for a patient the platform knows as P02478375538. Fails the test where it is not mapped.
Mapped MappedOf(const timeline::v1::Entry& entry);

}  // namespace simpul::fhir
