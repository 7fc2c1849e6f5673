// What callers hand back: position tokens, page tokens, pull cursors. The first byte chooses.
#include <google/protobuf/stubs/logging.h>

#include "lib/base/check.h"
#include "lib/base/text.h"
#include "lib/event/subject.h"
#include "lib/eventlog/position_token.h"
#include "records/cursor.h"
#include "tests/fuzz/target.h"
#include "tests/support/sample_events.h"
#include "timeline/page.h"

namespace simpul::fuzz {
namespace {

const event::Secret& VectorSecret() {
  static const event::Secret secret = *event::Secret::FromBytes(std::string(32, 's'));
  return secret;
}

const log::v1::Install& Install() {
  static const log::v1::Install install = [] {
    log::v1::Install made;
    made.set_install_id("c0ffee00-1234-4678-9abc-def012345678");
    made.set_partitions(3);
    return made;
  }();
  return install;
}

constexpr std::string_view kFilter = "filtered";

timeline::v1::GetTimelineRequest Request() {
  timeline::v1::GetTimelineRequest request;
  *request.mutable_patient() = simpul::testing::SampleChild().identities(0);
  request.mutable_from()->set_seconds(1'700'000'000);
  request.mutable_until()->set_seconds(1'800'000'000);
  request.add_kinds("visit");
  request.set_page_size(2);
  return request;
}

void PositionTokens(std::string_view text) {
  const auto place = eventlog::ParsePositionToken(Install(), text);
  if (!place.ok()) return;
  SIMPUL_CHECK(eventlog::PositionToken(Install(), place->first, place->second) == text,
               "two tokens of one place");
}

void PullCursors(std::string_view text) {
  const auto cursor = records::ParseCursor(text, Install(), kFilter, VectorSecret());
  if (!cursor.ok()) return;
  const auto again =
      records::ParseCursor(records::EncodeCursor(*cursor, Install(), kFilter, VectorSecret()),
                           Install(), kFilter, VectorSecret());
  SIMPUL_CHECK(again.ok() && again->size() == cursor->size(), "its own cursor is refused");
}

// With the right signature, as only this install can make it: what stands behind the signature is
// read too.
void SignedPullCursors(std::string_view places) {
  std::string bytes("\x01\xc0\xff\xee\x00", 5);
  bytes += kFilter;
  bytes += places;
  bytes += VectorSecret().Mac("simpul.records.cursor.v1", bytes).substr(0, 16);
  PullCursors(base::ToBase64Url(bytes));
}

void Questions(std::string_view wire) {
  static const auto quiet = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(quiet);
  timeline::v1::GetTimelineRequest request;
  if (!request.ParseFromArray(wire.data(), static_cast<int>(wire.size()))) return;
  const auto question = timeline_role::Ask(request, VectorSecret());
  if (!question.ok()) return;
  SIMPUL_CHECK(question->from_us < question->until_us && question->page_size > 0, "no question");
  timeline::v1::GetTimelineResponse response;
  timeline_role::Answer(*question, VectorSecret(), Install(), 0, {}, response);
}

}  // namespace

std::vector<std::string> Seeds() {
  const records::Cursor cursor = {
      {.position = 1, .number = 0}, {.position = 300, .number = 299}, {}};
  std::string places("\x01\x00\xac\x02\xab\x02\x00\x00", 8);
  timeline::v1::GetTimelineRequest ages = Request();
  ages.mutable_from()->set_seconds(INT64_MIN);
  ages.mutable_until()->set_seconds(INT64_MAX);
  ages.mutable_until()->set_nanos(INT32_MIN);
  return {"0" + eventlog::PositionToken(Install(), 2, 1'000'000),
          "1" + records::EncodeCursor(cursor, Install(), kFilter, VectorSecret()), "2" + places,
          "3" + Request().SerializeAsString(), "3" + ages.SerializeAsString()};
}

}  // namespace simpul::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace simpul::fuzz;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 4) {
    case 0:
      PositionTokens(rest);
      break;
    case 1:
      PullCursors(rest);
      break;
    case 2:
      SignedPullCursors(rest);
      break;
    case 3:
      Questions(rest);
      break;
  }
  return 0;
}
