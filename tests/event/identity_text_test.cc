#include "lib/event/identity_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/status_macros.h"

namespace simpul::event {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseIdentity, ReadsEveryForm) {
  EXPECT_EQ(ParseIdentity("nik|7324025203010001")->nik().number(), "7324025203010001");
  const auto newborn = *ParseIdentity("mother|7324025203010001|2026-01-05|2");
  EXPECT_EQ(newborn.newborn().mother_nik(), "7324025203010001");
  EXPECT_EQ(newborn.newborn().birth_date(), "2026-01-05");
  EXPECT_EQ(newborn.newborn().birth_order(), 2u);
  EXPECT_EQ(ParseIdentity("passport|IDN|C123")->passport().country(), "IDN");
  EXPECT_EQ(ParseIdentity("passport|IDN|C123")->passport().number(), "C123");
  EXPECT_EQ(ParseIdentity("card|0002035020396")->card().number(), "0002035020396");
  const auto local = *ParseIdentity("local|kemenkes|P7324020101|12/A");
  EXPECT_EQ(local.local().system(), "kemenkes");
  EXPECT_EQ(local.local().facility(), "P7324020101");
  EXPECT_EQ(local.local().number(), "12/A");
}

TEST(ParseIdentity, NamesThePartThatIsWrongAndNeverTheValue) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "one of nik|N"},
      {"7324025203010001", "one of nik|N"},
      {"ktp|7324025203010001", "one of nik|N"},
      {"nik", "nik|N: one part"},
      {"nik|732402520301000", "nik|N: N must be 16 digits"},
      {"nik|732402520301000x", "nik|N: N must be 16 digits"},
      {"nik|7324025203010001|x", "nik|N: one part"},
      {"mother|7324025203010001|2026-01-05", "three parts follow mother"},
      {"mother|73240252030100|2026-01-05|1", "NIK must be 16 digits"},
      {"mother|7324025203010001|2026-02-30|1", "DATE must be a day that exists"},
      {"mother|7324025203010001|2026-01-05|0", "ORDER must be"},
      {"mother|7324025203010001|2026-01-05|12", "ORDER must be"},
      {"passport|IDN", "two parts follow passport"},
      {"passport|ID|C123", "COUNTRY must be three letters"},
      {"passport|IDN|", "N is empty"},
      {"card|2035020396", "N must be 13 digits"},
      {"local|kemenkes|P1", "three parts follow local"},
      {"local||P1|7", "SYSTEM is empty"},
      {"local|kemenkes||7", "FACILITY is empty"},
      {"local|kemenkes|P1|", "N is empty"},
  };
  for (const auto& [text, words] : cases) {
    const auto identity = ParseIdentity(text);
    ASSERT_EQ(identity.status().code(), absl::StatusCode::kInvalidArgument) << text;
    const std::string message(base::Message(identity.status()));
    EXPECT_THAT(message, HasSubstr(words)) << text;
    EXPECT_THAT(message, Not(HasSubstr("7324"))) << text;
  }
}

}  // namespace
}  // namespace simpul::event
