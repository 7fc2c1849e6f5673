// An event from the wire: Parse, Validate, Canonical.
#include "lib/base/check.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/event/validate.h"
#include "tests/fuzz/target.h"
#include "tests/support/sample_events.h"

namespace simpul::fuzz {
namespace {

void CheckRefusal(const event::Refusal& refusal) {
  SIMPUL_CHECK(!refusal.violations.empty(), "a refusal without a reason");
  SIMPUL_CHECK(refusal.event_id.empty() || base::IsUuid(refusal.event_id), "not an id");
}

void CheckViolations(const std::vector<event::Violation>& violations) {
  for (const event::Violation& violation : violations) {
    bool is_known = false;
    for (const event::Rule& rule : event::Rules()) is_known |= rule.name == violation.rule;
    SIMPUL_CHECK(is_known, "rule {}", violation.rule);
    SIMPUL_CHECK(!violation.message.empty() && !violation.fix.empty(), "{}", violation.rule);
    SIMPUL_CHECK(!base::LooksLikeNik(violation.field) && !base::LooksLikeNik(violation.message) &&
                     !base::LooksLikeNik(violation.fix),
                 "the words of {} hold a value", violation.rule);
  }
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const simpul::testing::SampleEvent& sample : simpul::testing::SampleEvents()) {
    seeds.push_back(event::Canonical(sample.event));
  }
  return seeds;
}

}  // namespace simpul::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace simpul;
  auto parsed = event::Parse({reinterpret_cast<const char*>(bytes), size});
  if (const auto* refusal = std::get_if<event::Refusal>(&parsed)) {
    fuzz::CheckRefusal(*refusal);
    fuzz::CheckViolations(refusal->violations);
    return 0;
  }
  const auto& event = std::get<event::v1::Event>(parsed);
  const std::string canonical = event::Canonical(event);
  auto again = event::Parse(canonical);
  SIMPUL_CHECK(std::holds_alternative<event::v1::Event>(again), "its own canonical bytes refused");
  SIMPUL_CHECK(event::Canonical(std::get<event::v1::Event>(again)) == canonical,
               "canonical twice is not canonical once");

  auto judged = event::Validate(event, simpul::testing::SampleNow());
  if (const auto* refusal = std::get_if<event::Refusal>(&judged)) {
    fuzz::CheckRefusal(*refusal);
    fuzz::CheckViolations(refusal->violations);
    return 0;
  }
  const auto& valid = std::get<event::ValidEvent>(judged);
  fuzz::CheckViolations(valid.warnings);
  SIMPUL_CHECK(valid.canonical == event::Canonical(valid.event), "not what is kept");
  SIMPUL_CHECK(valid.canonical == canonical, "validation changed the event");
  SIMPUL_CHECK(valid.kind != 0, "an event of no kind");
  return 0;
}
