// How long it takes to map an entry and to write its bundle: one thread, nothing else.

#include <benchmark/benchmark.h>

#include "lib/base/check.h"
#include "lib/fhir/map.h"
#include "tests/fhir/entries.h"
#include "tests/support/sample_events.h"

namespace simpul::fhir {
namespace {

timeline::v1::Entry Of(std::initializer_list<std::string_view> names) {
  std::vector<event::v1::Event> events;
  for (std::string_view name : names) events.push_back(testing::SampleNamed(name));
  return EntryOf(events);
}

void MapAndWrite(benchmark::State& state, const timeline::v1::Entry& entry) {
  const Directory directory = *Directory::Parse(TestDirectoryJson());
  size_t bytes = 0;
  size_t parts = 0;
  for (auto _ : state) {
    const MapResult result = Map(entry, directory, {"P02478375538"});
    const auto* mapped = std::get_if<Mapped>(&result);
    SIMPUL_CHECK(mapped != nullptr, "The benchmark's entry is not mapped.");
    const std::string bundle = TransactionBundle(*mapped, {});
    bytes = bundle.size();
    parts = mapped->parts.size();
    benchmark::DoNotOptimize(bundle.data());
  }
  state.counters["parts"] = static_cast<double>(parts);
  state.counters["bytes"] = static_cast<double>(bytes);
}

BENCHMARK_CAPTURE(MapAndWrite, weighing, Of({"weighing"}));
BENCHMARK_CAPTURE(MapAndWrite, posyandu_day,
                  Of({"growth_visit", "vitamin_a", "immunisation_given"}));
BENCHMARK_CAPTURE(MapAndWrite, antenatal_visit,
                  Of({"antenatal_visit", "iron_tablets", "lab_quantity", "lab_coded"}));
BENCHMARK_CAPTURE(MapAndWrite, referral, Of({"referral_sent", "referral_accepted"}));

}  // namespace
}  // namespace simpul::fhir
