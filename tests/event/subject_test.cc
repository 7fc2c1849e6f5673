#include "lib/event/subject.h"

#include <gtest/gtest.h>

#include <set>

#include "lib/base/hash.h"
#include "lib/event/identity_text.h"

namespace simpul::event {
namespace {

v1::Identity Id(std::string_view text) {
  auto identity = ParseIdentity(text);
  EXPECT_TRUE(identity.ok()) << text;
  return *identity;
}

Secret TestSecret() {
  std::string bytes;
  for (char c = 0; c < 32; ++c) bytes.push_back(c);
  return *Secret::FromBytes(bytes);
}

TEST(Murmur2, AgreesWithKafkasOwnTestVectors) {
  EXPECT_EQ(Murmur2("21"), -973932308);
  EXPECT_EQ(Murmur2("foobar"), -790332482);
  EXPECT_EQ(Murmur2("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(Murmur2("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(Murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(Murmur2("abc"), 479470107);
}

TEST(PartitionOf, DropsTheSignAsKafkaDoes) {
  EXPECT_EQ(PartitionOf("abc", 24), 479470107u % 24);
  EXPECT_EQ(PartitionOf("21", 24), (static_cast<uint32_t>(-973932308) & 0x7fffffffu) % 24);
  EXPECT_EQ(PartitionOf("anything", 1), 0u);
}

TEST(PartitionOf, SpreadsKeysOverAllPartitions) {
  const Secret secret = TestSecret();
  std::vector<int> counts(24);
  for (int i = 0; i < 24'000; ++i) {
    v1::Identity identity;
    identity.mutable_local()->set_number(std::to_string(i));
    ++counts[PartitionOf(secret.KeyOf(identity)->view(), 24)];
  }
  for (int count : counts) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1150);
  }
}

TEST(CanonicalIdentity, IsKindThenLengthPrefixedFields) {
  EXPECT_EQ(base::Hex(*CanonicalIdentity(Id("nik|7324025203010001"))),
            "0100000010" + base::Hex("7324025203010001"));
  EXPECT_EQ(base::Hex(*CanonicalIdentity(Id("mother|7324025203010001|2026-01-05|2"))),
            "0200000010" + base::Hex("7324025203010001") + "0000000a" + base::Hex("2026-01-05") +
                "00000001" + base::Hex("2"));
  EXPECT_EQ(base::Hex(*CanonicalIdentity(Id("passport|IDN|X1"))),
            "0300000003" + base::Hex("IDN") + "00000002" + base::Hex("X1"));
  EXPECT_EQ(base::Hex(*CanonicalIdentity(Id("card|0002035020396"))),
            "040000000d" + base::Hex("0002035020396"));
  EXPECT_EQ(base::Hex(*CanonicalIdentity(Id("local|KEMENKES|P1|7"))),
            "0500000008" + base::Hex("KEMENKES") + "00000002" + base::Hex("P1") + "00000001" +
                base::Hex("7"));
}

TEST(CanonicalIdentity, IgnoresSurroundingSpaceAndCaseOfLetters) {
  v1::Identity identity;
  identity.mutable_passport()->set_country(" idn\t");
  identity.mutable_passport()->set_number("\n x1 y ");
  EXPECT_EQ(*CanonicalIdentity(identity), *CanonicalIdentity(Id("passport|IDN|X1 Y")));
}

TEST(CanonicalIdentity, KeepsFieldsApartThatWouldRunTogether) {
  EXPECT_NE(*CanonicalIdentity(Id("local|AB|C|D")), *CanonicalIdentity(Id("local|A|BC|D")));
}

TEST(CanonicalIdentity, NeedsAKind) {
  EXPECT_EQ(CanonicalIdentity(v1::Identity()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(StrongestIdentity, RanksNikNewbornPassportCardLocal) {
  v1::Subject subject;
  EXPECT_EQ(StrongestIdentity(subject), nullptr);
  subject.add_identities();  // no kind
  EXPECT_EQ(StrongestIdentity(subject), nullptr);
  for (std::string_view text : {"local|KEMENKES|P1|7", "card|0002035020396", "passport|IDN|X1",
                                "mother|7324025203010001|2026-01-05|1", "nik|7324025203010001"}) {
    *subject.add_identities() = Id(text);
    EXPECT_EQ(StrongestIdentity(subject), &subject.identities(subject.identities_size() - 1))
        << text;
  }
  *subject.add_identities() = Id("local|A|B|C");
  EXPECT_EQ(StrongestIdentity(subject), &subject.identities(5));
}

TEST(StrongestIdentity, TakesTheSmallestCanonicalFormOfOneKindWhateverTheOrder) {
  v1::Subject subject;
  *subject.add_identities() = Id("local|KEMENKES|P2|7");
  *subject.add_identities() = Id("local|kemenkes|p1|9");
  EXPECT_EQ(StrongestIdentity(subject), &subject.identities(1));
  subject.mutable_identities()->SwapElements(0, 1);
  EXPECT_EQ(StrongestIdentity(subject), &subject.identities(0));
}

TEST(Secret, HasThirtyTwoBytes) {
  EXPECT_FALSE(Secret::FromBytes("").ok());
  EXPECT_FALSE(Secret::FromBytes(std::string(31, 'x')).ok());
  EXPECT_TRUE(Secret::FromBytes(std::string(32, 'x')).ok());
}

TEST(Secret, GivesDifferentKeysDigestsAndFingerprintsThanAnotherSecret) {
  const Secret ours = TestSecret();
  const Secret other = *Secret::FromBytes(std::string(32, 'x'));
  const v1::Identity identity = Id("nik|7324025203010001");
  EXPECT_EQ(*ours.KeyOf(identity), *TestSecret().KeyOf(identity));
  EXPECT_NE(*ours.KeyOf(identity), *other.KeyOf(identity));
  EXPECT_NE(ours.DigestOf("x"), other.DigestOf("x"));
  EXPECT_NE(ours.Fingerprint(), other.Fingerprint());
  EXPECT_NE(ours.Mac("cursor", "x"), other.Mac("cursor", "x"));
  EXPECT_NE(ours.Mac("cursor", "x"), ours.Mac("curso", "rx"));
  EXPECT_EQ(ours.DigestOf("x").size(), 16u);
  EXPECT_EQ(ours.Fingerprint().size(), 8u);
  EXPECT_EQ(ours.Mac("a", "b").size(), 32u);
  EXPECT_FALSE(ours.KeyOf(v1::Identity()).ok());
}

TEST(SubjectKey, ReadsBackItsBytes) {
  const SubjectKey key = *TestSecret().KeyOf(Id("nik|7324025203010001"));
  EXPECT_EQ(*SubjectKey::FromBytes(key.view()), key);
  EXPECT_EQ(key.hex().size(), 32u);
  EXPECT_FALSE(SubjectKey::FromBytes("short").ok());
  EXPECT_FALSE(SubjectKey::FromBytes(std::string(17, 'x')).ok());
}

}  // namespace
}  // namespace simpul::event
