// The vectors of docs/formats.md for what is made of events. Those of events themselves are
// compared by tests/event/docs_test.cc.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/event/date.h"
#include "lib/event/subject.h"
#include "lib/event/validate.h"
#include "lib/eventlog/position_token.h"
#include "lib/fhir/map.h"
#include "lib/rules/versions.h"
#include "lib/timeline/entry_view.h"
#include "lib/timeline/project.h"
#include "records/cursor.h"
#include "tests/support/sample_events.h"
#include "tests/support/source_file.h"

namespace simpul {
namespace {

using ::testing::HasSubstr;

std::string Formats() { return simpul::testing::SourceFile("docs/formats.md"); }

// 00 01 02 ...
std::string Counting(char bytes) {
  std::string out;
  for (char c = 0; c < bytes; ++c) out.push_back(c);
  return out;
}

event::v1::Facility Facility() {
  event::v1::Facility facility;
  facility.set_system("kemenkes");
  facility.set_code("P7324020101");
  return facility;
}

log::v1::Install Install(uint32_t partitions) {
  log::v1::Install install;
  install.set_install_id("c0ffee00-1234-4678-9abc-def012345678");
  install.set_partitions(partitions);
  return install;
}

TEST(FormatsDoc, HasTheVectorsOfPositionTokens) {
  const std::string doc = Formats();
  const log::v1::Install install = Install(24);
  EXPECT_THAT(doc, HasSubstr(install.install_id()));
  for (const auto& [partition, position] : {std::pair(0U, int64_t{1}), {23U, 1'450'000'000}}) {
    const std::string token = eventlog::PositionToken(install, partition, position);
    EXPECT_THAT(doc, HasSubstr(fmt::format("partition {}, position {}\n  bytes  {}\n  token  {}\n",
                                           partition, position,
                                           base::Hex(*base::FromBase64Url(token)), token)));
    const auto parsed = eventlog::ParsePositionToken(install, token);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, std::pair(partition, position));
  }
}

TEST(FormatsDoc, HasTheVectorsOfEntryIds) {
  const std::string doc = Formats();
  const event::SubjectKey subject = *event::SubjectKey::FromBytes(Counting(16));
  struct Case {
    std::string_view name;
    timeline::v1::EntryKind kind;
    std::string_view id;
    event::v1::Purpose purpose;
  };
  for (const Case& wanted : {
           Case{"visit", timeline::v1::ENTRY_KIND_VISIT, "RJ-2026-02-05-0113",
                event::v1::PURPOSE_PRODUCTION},
           Case{"visit", timeline::v1::ENTRY_KIND_VISIT, "RJ-2026-02-05-0113",
                event::v1::PURPOSE_TRAINING},
           Case{"referral", timeline::v1::ENTRY_KIND_REFERRAL, "R/0042/II/2026",
                event::v1::PURPOSE_PRODUCTION},
           Case{"consent", timeline::v1::ENTRY_KIND_CONSENT, "5a3b1e00-0000-4000-8000-000000000001",
                event::v1::PURPOSE_PRODUCTION},
       }) {
    const event::v1::Facility facility = Facility();
    const std::string id = timeline::EntryId(subject, {.kind = wanted.kind,
                                                       .facility = event::ViewOf(facility),
                                                       .id = wanted.id,
                                                       .purpose = wanted.purpose});
    EXPECT_THAT(doc, HasSubstr(fmt::format("| {} ({}) | `{}` | {} | `{}` |\n", wanted.name,
                                           static_cast<int>(wanted.kind), wanted.id,
                                           static_cast<int>(wanted.purpose), id)));
  }
}

TEST(FormatsDoc, HasTheVectorsOfActivations) {
  const std::string doc = Formats();
  for (const auto& [version, day] : {std::pair(2u, "2026-12-10"), std::pair(1u, "2027-03-01")}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| {} | {} | `{}` |\n", version, day,
                                           rules::ActivationId(version, *event::ParseDay(day)))));
  }
}

TEST(FormatsDoc, HasTheVectorsOfContentDigests) {
  const std::string doc = Formats();
  const auto content = [](const event::v1::Event& event) {
    return std::string(base::AsBytes(base::Sha256(event::Canonical(event))));
  };
  const event::v1::Event event = simpul::testing::SampleWeighing();
  const event::v1::Event correction = simpul::testing::SampleNamed("weighing_corrected");
  const timeline::Group group = timeline::GroupOf(event::OutlineOf(event));
  timeline::v1::Entry entry;
  entry.set_kind(group.kind);
  *entry.mutable_facility() = event.facility();
  entry.set_group_id(std::string(group.id));
  entry.set_purpose(group.purpose);
  const auto digest = [&entry] {
    const std::string bytes = entry.SerializeAsString();
    return base::Hex(base::AsBytes(timeline::ContentDigest(timeline::ReadEntry(bytes).value())));
  };
  timeline::v1::Member& member = *entry.add_members();
  member.set_event_id(event.event_id());
  member.set_content(content(event));
  member.set_state(timeline::v1::MEMBER_STATE_STANDING);
  EXPECT_THAT(doc, HasSubstr("weighing\n  entry    " + digest() + "\n"));
  member.set_state(timeline::v1::MEMBER_STATE_CORRECTED);
  timeline::v1::Amendment& amendment = *member.add_amendments();
  amendment.set_event_id(correction.event_id());
  amendment.set_content(content(correction));
  EXPECT_THAT(
      doc, HasSubstr("weighing, corrected by weighing_corrected\n  entry    " + digest() + "\n"));
}

TEST(FormatsDoc, HasTheVectorsOfPlatformIdentifiers) {
  const std::string doc = Formats();
  EXPECT_THAT(doc, HasSubstr("    " + std::string(fhir::kPartNamespace) + "\n"));
  const std::string subject = Counting(16);
  for (const auto& [id, part] : {std::pair("RJ-2026-02-05-0113", "encounter"),
                                 {"5a3b1e00-0000-4000-8000-000000000001", "weight"}}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| `{}` | `{}` | `{}` |\n", id, part,
                                           fhir::PartKey(Facility(), id, part, subject))));
  }
}

TEST(FormatsDoc, HasTheVectorsOfPullCursors) {
  const std::string doc = Formats();
  const event::Secret secret = *event::Secret::FromBytes(Counting(32));
  const log::v1::Install install = Install(2);
  const records::Cursor cursor = {{.position = 1, .number = 0}, {.position = 300, .number = 299}};
  for (const auto& [name, facility] :
       {std::pair("no filter", event::v1::Facility()), {"kemenkes|P7324020101", Facility()}}) {
    const std::string digest = records::FilterDigest(facility);
    const std::string text = records::EncodeCursor(cursor, install, digest, secret);
    EXPECT_THAT(doc, HasSubstr(fmt::format("{}\n  bytes   {}\n  cursor  {}\n", name,
                                           base::Hex(*base::FromBase64Url(text)), text)));
    const auto parsed = records::ParseCursor(text, install, digest, secret);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->at(1).position, 300);
    EXPECT_EQ(parsed->at(1).number, 299);
  }
}

}  // namespace
}  // namespace simpul
