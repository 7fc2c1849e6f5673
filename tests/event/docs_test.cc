// What is written down about formats and errors is what the code does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/hash.h"
#include "lib/base/uuid.h"
#include "lib/event/errors_doc.h"
#include "lib/event/identity_text.h"
#include "lib/event/subject.h"
#include "lib/event/validate.h"
#include "tests/support/sample_events.h"
#include "tests/support/source_file.h"

namespace simpul::event {
namespace {

using ::testing::HasSubstr;

std::string Doc(std::string_view name) {
  return simpul::testing::SourceFile("docs/" + std::string(name));
}

TEST(ErrorsDoc, IsWhatIsCommitted) {
  EXPECT_EQ(Doc("errors.md"), ErrorsDoc()) << "print it again: bin/errors_doc > docs/errors.md";
}

// The secret of the vectors: 00 01 02 ... 1f.
Secret VectorSecret() {
  std::string bytes;
  for (char c = 0; c < 32; ++c) bytes.push_back(c);
  return *Secret::FromBytes(bytes);
}

TEST(FormatsDoc, HasTheVectorsOfSubjectKeys) {
  const std::string doc = Doc("formats.md");
  EXPECT_THAT(doc, HasSubstr("fingerprint  " + base::Hex(VectorSecret().Fingerprint()) + "\n"));
  for (std::string_view text :
       {"nik|7324021203240001", "mother|7324025708960002|2026-02-20|1", "passport|NLD|XR1402217",
        "card|0002035020396", "local|kemenkes|P7324020101|MLT3-0007"}) {
    const v1::Identity identity = *ParseIdentity(text);
    const SubjectKey key = *VectorSecret().KeyOf(identity);
    EXPECT_THAT(doc, HasSubstr(std::string(text) + "\n  canonical  " +
                               base::Hex(*CanonicalIdentity(identity)) + "\n  key        " +
                               key.hex() + "\n  murmur2    " + std::to_string(Murmur2(key.view())) +
                               "   partition of 24: " +
                               std::to_string(PartitionOf(key.view(), 24)) + "\n"));
  }
}

TEST(FormatsDoc, HasTheVectorsOfCanonicalEventsAndTheirDigests) {
  const std::string doc = Doc("formats.md");
  const std::string canonical = Canonical(simpul::testing::SampleWeighing());
  std::string lines;
  const std::string hex = base::Hex(canonical);
  for (size_t at = 0; at < hex.size(); at += 100) lines += "  " + hex.substr(at, 100) + "\n";
  EXPECT_THAT(doc, HasSubstr("weighing\n" + lines));
  for (std::string_view name : {"weighing", "growth_visit", "antenatal_visit", "mental_screening",
                                "referral_sent", "twin_birth", "weighing_corrected"}) {
    const std::string bytes = Canonical(simpul::testing::SampleNamed(name));
    EXPECT_THAT(doc, HasSubstr(std::string(name) + "\n  bytes    " + std::to_string(bytes.size()) +
                               "\n  sha-256  " + base::Hex(base::AsBytes(base::Sha256(bytes))) +
                               "\n  digest   " + base::Hex(VectorSecret().DigestOf(bytes)) + "\n"));
  }
}

TEST(FormatsDoc, HasTheIdsOfRowsWithoutUuid) {
  const std::string doc = Doc("formats.md");
  constexpr std::string_view kNamespace = "05389cee-52c2-4c90-8422-0a87201eac43";
  EXPECT_THAT(doc, HasSubstr("    " + std::string(kNamespace) + "\n"));
  for (std::string_view edit : {"", "|2"}) {
    const std::string name = "kemenkes|P7324020101|simrs.kunjungan|4711" + std::string(edit);
    std::string cell;
    for (char c : name) cell += c == '|' ? std::string("\\|") : std::string(1, c);
    EXPECT_THAT(doc, HasSubstr("| `" + cell + "` | `" + base::UuidV5(kNamespace, name) + "` |\n"));
  }
}

}  // namespace
}  // namespace simpul::event
