#include "records/cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "lib/base/status_macros.h"

namespace simpul::records {
namespace {

using ::testing::HasSubstr;

class CursorTest : public ::testing::Test {
 protected:
  CursorTest() {
    install_.set_install_id("8f14e45f-ceea-467f-a8d1-9b0d5c7e4a21");
    install_.set_partitions(3);
  }

  std::string Encode(const Cursor& cursor) const {
    return EncodeCursor(cursor, install_, filter_, secret_);
  }
  absl::StatusOr<Cursor> Parse(std::string_view text) const {
    return ParseCursor(text, install_, filter_, secret_);
  }

  log::v1::Install install_;
  event::Secret secret_ = *event::Secret::FromBytes(std::string(32, 's'));
  std::string filter_ = FilterDigest({});
  const Cursor cursor_ = {{.position = 1, .number = 0},
                          {.position = 300, .number = 250},
                          {.position = std::numeric_limits<int64_t>::max(), .number = ~0ull}};
};

TEST_F(CursorTest, ComesBackAsItWas) {
  const absl::StatusOr<Cursor> read = Parse(Encode(cursor_));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*read)[i].position, cursor_[i].position);
    EXPECT_EQ((*read)[i].number, cursor_[i].number);
  }
}

TEST_F(CursorTest, HasTheDocumentedBytes) {
  EXPECT_EQ(Encode({{1, 0}, {300, 250}, {2, 1}}),
            "AY8U5F-vVXD1oYELegEArAL6AQIBNhwDGhG6gjEF0Xd15ChKzA");
}

TEST_F(CursorTest, IsRefusedOnceAnyCharacterIsChanged) {
  const std::string text = Encode(cursor_);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const absl::Status status = Parse(changed).status();
    EXPECT_FALSE(status.ok()) << "character " << i;
    EXPECT_FALSE(Parse(text.substr(0, i)).ok()) << "the first " << i;
  }
  EXPECT_FALSE(Parse(text + "A").ok());
}

TEST_F(CursorTest, SaysWhenItIsNone) {
  const absl::Status status = Parse("yesterday").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("no cursor of PullRecords"));
}

TEST_F(CursorTest, SaysWhenItIsOfAnotherInstall) {
  const std::string text = Encode(cursor_);
  install_.set_install_id("00000000-ceea-467f-a8d1-9b0d5c7e4a21");
  const absl::Status status = Parse(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("another install"));
}

TEST_F(CursorTest, SaysWhenItWasGivenForAnotherFacility) {
  event::v1::Facility facility;
  facility.set_system("kemenkes");
  facility.set_code("P7324020101");
  const std::string text = EncodeCursor(cursor_, install_, FilterDigest(facility), secret_);
  const absl::Status status = Parse(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("another facility"));
}

TEST_F(CursorTest, IsRefusedUnderAnotherSecret) {
  const std::string text = Encode(cursor_);
  secret_ = *event::Secret::FromBytes(std::string(32, 't'));
  EXPECT_EQ(Parse(text).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace simpul::records
