#include "lib/deliver/reasons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/source_file.h"

namespace simpul::deliver {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::string RowOf(const Reason& reason) {
  std::string words = "`";
  for (char c : reason.words) words += c == '|' ? std::string("` `") : std::string(1, c);
  return "| " + words + "` | " + std::string(reason.means) + " | " + std::string(reason.fix) + " |";
}

TEST(Reasons, AreTheRowsOfThePageAboutDelivery) {
  std::vector<std::string> rows;
  for (const Reason& reason : Reasons()) rows.push_back(RowOf(reason));
  const std::string doc = simpul::testing::SourceFile("docs/delivery.md");
  std::vector<std::string> written;
  for (size_t at = doc.find("\n## "); at < doc.size();) {
    const size_t end = doc.find('\n', at + 1);
    const std::string line = doc.substr(at + 1, end - at - 1);
    if (line.starts_with("| `")) written.push_back(line);
    at = end;
  }
  EXPECT_THAT(written, ElementsAreArray(rows));
}

TEST(Reasons, AreFoundByTheWordThatARecordCarries) {
  EXPECT_EQ(FindReason("rule_10117"), FindReason("rule_20003"));
  EXPECT_THAT(FixOf("rule_10117"), HasSubstr("correct the event"));
  EXPECT_THAT(FixOf("given_up: moved away"), HasSubstr("takes it back"));
  EXPECT_EQ(FixOf("paused"), FixOf("paused: the platform asked for it"));
  EXPECT_NE(FindReason("consent"), nullptr);
  EXPECT_NE(FindReason("patient_unlinked"), nullptr);
}

TEST(Reasons, AreNotFoundByAWordThatNoRecordCarries) {
  for (const char* word : {"", "nonsense", "rule_", "patient", "patient_unknown2", "given_up",
                           "patient_registered|patient_linked"}) {
    EXPECT_EQ(FindReason(word), nullptr) << word;
    EXPECT_EQ(FixOf(word), "") << word;
  }
}

TEST(Reasons, AskNobodyToDoNothing) { EXPECT_EQ(FixOf("connection_lost"), ""); }

}  // namespace
}  // namespace simpul::deliver
