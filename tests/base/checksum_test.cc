#include "lib/base/checksum.h"

#include <gtest/gtest.h>

namespace simpul::base {
namespace {

TEST(SetChecksum, DoesNotDependOnOrder) {
  SetChecksum forward, backward;
  for (const char* member : {"a", "b", "c"}) forward.Add(Sha256(member));
  for (const char* member : {"c", "b", "a"}) backward.Add(Sha256(member));
  EXPECT_EQ(forward.ToHex(), backward.ToHex());
}

TEST(SetChecksum, TellsOneMemberFromTheSameMemberTwice) {
  SetChecksum once, twice;
  once.Add(Sha256("a"));
  twice.Add(Sha256("a"));
  twice.Add(Sha256("a"));
  EXPECT_NE(once, twice);
}

TEST(SetChecksum, RemovingUndoesAdding) {
  SetChecksum checksum;
  for (int i = 0; i < 100; ++i) checksum.Add(Sha256(std::to_string(i)));
  for (int i = 0; i < 100; ++i) checksum.Remove(Sha256(std::to_string(i)));
  EXPECT_EQ(checksum.ToHex(), std::string(64, '0'));
}

TEST(SetChecksum, OfOneMemberIsItsDigest) {
  SetChecksum checksum;
  checksum.Add(Sha256("abc"));
  EXPECT_EQ(checksum.ToHex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(SetChecksum::FromBytes(checksum.ToBytes()), checksum);
  EXPECT_EQ(SetChecksum::FromHex(checksum.ToHex()), checksum);
  EXPECT_FALSE(SetChecksum::FromHex("ba78").has_value());
  EXPECT_FALSE(SetChecksum::FromHex(std::string(63, '0') + "g").has_value());
}

TEST(SetChecksum, AddsDisjointSets) {
  SetChecksum left, right, both;
  left.Add(Sha256("a"));
  right.Add(Sha256("b"));
  both.Add(Sha256("a"));
  both.Add(Sha256("b"));
  left.Add(right);
  EXPECT_EQ(left, both);
}

}  // namespace
}  // namespace simpul::base
