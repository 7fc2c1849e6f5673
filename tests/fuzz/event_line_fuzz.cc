// An event as a line of JSON.
#include "lib/base/check.h"
#include "lib/base/text.h"
#include "lib/event/validate.h"
#include "simpul/event_json.h"
#include "tests/fuzz/target.h"
#include "tests/support/sample_events.h"

namespace simpul::fuzz {

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const simpul::testing::SampleEvent& sample : simpul::testing::SampleEvents()) {
    seeds.push_back(cli::EventLine(sample.event));
  }
  return seeds;
}

}  // namespace simpul::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace simpul;
  const std::string_view line(reinterpret_cast<const char*>(bytes), size);
  static_cast<void>(cli::FindEventId(line));
  const auto parsed = cli::ParseEventLine(line);
  if (const auto* violation = std::get_if<ingest::v1::Violation>(&parsed)) {
    SIMPUL_CHECK(!violation->rule().empty() && !violation->message().empty(), "no reason");
    SIMPUL_CHECK(!base::LooksLikeNik(violation->field()), "the path holds a value");
    return 0;
  }
  const auto& event = std::get<event::v1::Event>(parsed);
  const auto again = cli::ParseEventLine(cli::EventLine(event));
  SIMPUL_CHECK(std::holds_alternative<event::v1::Event>(again), "its own line is refused");
  SIMPUL_CHECK(event::Canonical(std::get<event::v1::Event>(again)) == event::Canonical(event),
               "its own line says something else");
  return 0;
}
