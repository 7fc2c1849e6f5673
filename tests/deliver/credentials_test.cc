#include "lib/deliver/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/status_macros.h"

namespace simpul::deliver {
namespace {

std::string Why(std::string_view json) {
  return std::string(base::Message(Credentials::Parse(json).status()));
}

TEST(Credentials, AreFoundByOrganisation) {
  const auto credentials = Credentials::Parse(
      R"([{"organization":"100027469","client_id":"a","client_secret":"b"},
          {"organization":"100027470","client_id":"c","client_secret":"d","note":"ignored"}])");
  ASSERT_TRUE(credentials.ok());
  ASSERT_NE(credentials->Of("100027470"), nullptr);
  EXPECT_EQ(credentials->Of("100027470")->client_id, "c");
  EXPECT_EQ(credentials->Of("1"), nullptr);
}

TEST(Credentials, NameThePlaceOfWhatIsWrongAndNeverTheSecret) {
  EXPECT_THAT(Why("{"), testing::HasSubstr("not JSON at byte 1"));
  EXPECT_THAT(Why("{}"), testing::HasSubstr("must be an array"));
  const std::string missing = Why(
      R"([{"organization":"1","client_id":"a","client_secret":"s3cret"},{"organization":"2","client_id":7}])");
  EXPECT_THAT(missing, testing::HasSubstr("[1].client_id is missing or no text"));
  EXPECT_THAT(missing, testing::Not(testing::HasSubstr("s3cret")));
  EXPECT_THAT(Why(R"([{"organization":"1","client_id":"a","client_secret":"b"},
                      {"organization":"1","client_id":"a","client_secret":"b"}])"),
              testing::HasSubstr("[1].organization is there twice"));
  EXPECT_THAT(std::string(base::Message(Credentials::Read("/nowhere/c.json").status())),
              testing::HasSubstr("/nowhere/c.json"));
}

}  // namespace
}  // namespace simpul::deliver
