#include "lib/eventlog/position_token.h"

#include <gtest/gtest.h>

namespace simpul::eventlog {
namespace {

log::v1::Install InstallOf(const std::string& id) {
  log::v1::Install install;
  install.set_install_id(id);
  install.set_partitions(24);
  return install;
}

const log::v1::Install kInstall = InstallOf("0badcafe-9dc0-41d1-b245-5ffdce74fad2");

TEST(PositionToken, ComesBackAsItWas) {
  for (const uint32_t partition : {0u, 7u, 23u}) {
    for (const int64_t position : {int64_t{1}, int64_t{500}, int64_t{1} << 40}) {
      const auto parsed =
          ParsePositionToken(kInstall, PositionToken(kInstall, partition, position));
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      EXPECT_EQ(*parsed, std::pair(partition, position));
    }
  }
}

TEST(PositionToken, HasOneFixedForm) {
  EXPECT_EQ(PositionToken(kInstall, 5, 258), "C63K_gAFAAAAAAAAAQI");
}

TEST(PositionToken, IsRefusedByAnotherInstall) {
  const log::v1::Install other = InstallOf("1badcafe-9dc0-41d1-b245-5ffdce74fad2");
  EXPECT_EQ(ParsePositionToken(other, PositionToken(kInstall, 1, 1)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(PositionToken, IsRefusedWhenItIsNone) {
  for (const std::string& token :
       {std::string(), std::string("1"), std::string("not a token at all"),
        PositionToken(kInstall, 1, 1) + "AAAA", PositionToken(kInstall, 24, 1),
        PositionToken(kInstall, 1, 0), PositionToken(kInstall, 1, -1)}) {
    EXPECT_EQ(ParsePositionToken(kInstall, token).status().code(),
              absl::StatusCode::kInvalidArgument)
        << token;
  }
}

}  // namespace
}  // namespace simpul::eventlog
