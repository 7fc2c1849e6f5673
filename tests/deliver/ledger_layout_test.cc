#include "lib/deliver/ledger_layout.h"

#include <gtest/gtest.h>

#include "lib/base/hash.h"

namespace simpul::deliver {
namespace {

const std::string kEntry(16, 'e');
const std::string kEvent(16, 'v');
const std::string kSubject(16, 's');

TEST(LedgerLayout, SortsKeysAsTheirNumbers) {
  EXPECT_LT(ReadyKey(255, kEntry), ReadyKey(256, kEntry));
  EXPECT_LT(TimedKey(1'000'000, kEntry), TimedKey(1'000'000'000'000, kEntry));
  EXPECT_LT(ChangeKey(7, 300), ChangeKey(8, 0));
  EXPECT_LT(SightingKey(kEvent, kSubject, 9), SightingKey(kEvent, kSubject, 10));
}

TEST(LedgerLayout, ReadsBackWhatItWrote) {
  WorkItem item;
  ASSERT_TRUE(Decode(TimedKey(5, kEntry), EncodeWork(kSubject, 7), item).ok());
  EXPECT_EQ(item.entry_id, kEntry);
  EXPECT_EQ(item.subject_key, kSubject);
  EXPECT_EQ(item.due_us, 5);
  EXPECT_EQ(item.received_at_us, 7);

  Sighting sighting, read;
  sighting.facility_system = "kemenkes";
  sighting.facility_code = "P7324020101";
  sighting.received_at_us = 7;
  ASSERT_TRUE(Decode(SightingKey(kEvent, kSubject, 9), Encode(sighting), read).ok());
  EXPECT_EQ(read.subject_key, kSubject);
  EXPECT_EQ(read.facility_code, "P7324020101");
  EXPECT_EQ(read.position, 9);

  std::string name;
  ASSERT_TRUE(DecodeNamedEntry(CarriedKey(kEvent, kEntry), name).ok());
  EXPECT_EQ(name, kEntry);
  ASSERT_TRUE(DecodeNamedEntry(UnsettledKey(kSubject, kEntry), name).ok());
  EXPECT_EQ(name, kEntry);
  ASSERT_TRUE(DecodeAbout(AboutKey(kEvent, kSubject, 12), name).ok());
  EXPECT_EQ(name, DeadLetterKey(12));
}

TEST(LedgerLayout, ReadsBackAStandingOfItsOwnOriginOnly) {
  log::v1::Install install;
  install.set_install_id("i");
  install.set_partitions(24);
  LedgerStanding standing;
  standing.next[eventlog::Topic::kEntries] = 12;
  standing.number = 11;
  standing.checksum.Add(base::Sha256("a"));
  standing.counts.records[delivery::v1::DELIVERY_STATE_HELD] = 3;
  standing.counts.waiting_events = 2;
  standing.claim = "c";
  standing.paused = true;
  standing.pause_reason = "the platform moves";
  const std::string bytes = Encode(standing, OriginOf(install, 4));

  LedgerStanding read;
  ASSERT_TRUE(Decode(bytes, OriginOf(install, 4), read).ok());
  EXPECT_EQ(read.next, standing.next);
  EXPECT_EQ(read.number, 11u);
  EXPECT_EQ(read.checksum.ToHex(), standing.checksum.ToHex());
  EXPECT_EQ(read.counts.records, standing.counts.records);
  EXPECT_EQ(read.counts.waiting_events, 2u);
  EXPECT_EQ(read.claim, "c");
  EXPECT_TRUE(read.paused);
  EXPECT_EQ(read.pause_reason, "the platform moves");
  EXPECT_EQ(Decode(bytes, OriginOf(install, 5), read).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(LedgerLayout, CallsACutRowDamaged) {
  WorkItem item;
  ChangeRow change;
  Sighting sighting;
  HeldRow held;
  LedgerStanding standing;
  std::string name;
  const std::string work = EncodeWork(kSubject, 7);
  EXPECT_TRUE(absl::IsDataLoss(Decode(ReadyKey(1, kEntry), work.substr(1), item)));
  EXPECT_TRUE(absl::IsDataLoss(Decode(ReadyKey(1, "short"), work, item)));
  const std::string row = Encode(change);
  for (size_t length = 0; length < row.size(); ++length) {
    EXPECT_TRUE(absl::IsDataLoss(Decode(ChangeKey(1, 0), row.substr(0, length), change)));
  }
  EXPECT_TRUE(absl::IsDataLoss(Decode(SightingKey(kEvent, kSubject, 1), "", sighting)));
  EXPECT_TRUE(absl::IsDataLoss(Decode("h", "", held)));
  EXPECT_TRUE(absl::IsDataLoss(DecodeNamedEntry("x", name)));
  EXPECT_TRUE(absl::IsDataLoss(DecodeAbout("y", name)));
  const std::string bytes = Encode(standing, "origin");
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_TRUE(absl::IsDataLoss(Decode(bytes.substr(0, length), "origin", standing)));
  }
}

}  // namespace
}  // namespace simpul::deliver
