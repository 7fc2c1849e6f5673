#include "lib/base/uuid.h"

#include <gtest/gtest.h>

namespace simpul::base {
namespace {

TEST(IsUuid, TakesLowerCaseOnly) {
  EXPECT_TRUE(IsUuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"));
  EXPECT_FALSE(IsUuid("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"));
  EXPECT_FALSE(IsUuid("6ba7b8109dad11d180b400c04fd430c8"));
  EXPECT_FALSE(IsUuid("00000000-0000-0000-0000-000000000000"));
  EXPECT_FALSE(IsUuid("6ba7b810-9dad-11d1-80b4-00c04fd430cg"));
}

// RFC 9562, appendix A.4.
TEST(UuidV5, MatchesTheStandardsExample) {
  EXPECT_EQ(UuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com"),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Uuid, BytesAndTextAreInverse) {
  const std::string uuid = RandomUuid();
  EXPECT_TRUE(IsUuid(uuid));
  EXPECT_EQ(uuid[14], '4');
  EXPECT_EQ(UuidText(UuidBytes(uuid)), uuid);
}

}  // namespace
}  // namespace simpul::base
