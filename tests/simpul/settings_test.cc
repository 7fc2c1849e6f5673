#include "simpul/settings.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace simpul::cli {
namespace {

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    CLI::App* push = app_.add_subcommand("push");
    push->add_option("--to", to_, "Where")->capture_default_str();
    push->add_flag("--json", json_, "JSON");
    CLI::App* other = app_.add_subcommand("state");
    other->add_option("--to", other_to_, "Where")->capture_default_str();
    app_.add_subcommand("serve")->add_option("--data", data_, "Folder")->required();
  }
  ~SettingsTest() override {
    ::unsetenv("SIMPUL_TO");
    ::unsetenv("SIMPUL_DATA");
  }

  std::string File(const std::string& text) {
    const auto path = folder_ / "simpul.ini";
    std::ofstream(path) << text;
    return path.string();
  }
  std::string SourceOf(const std::string& name) {
    for (const auto& row : settings_.Rows(*app_.get_subcommand("push"))) {
      if (row.name == name) return row.source;
    }
    return "";
  }
  void Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    app_.parse(words);
  }

  testing::TempFolder folder_;
  CLI::App app_{"test"};
  Settings settings_;
  std::string to_ = "default:1", other_to_ = "default:1", data_;
  bool json_ = false;
};

TEST_F(SettingsTest, UsesTheDefaultWhereNothingIsSaid) {
  ASSERT_TRUE(settings_.Apply(app_, "").ok());
  Parse({"push"});
  EXPECT_EQ(to_, "default:1");
  EXPECT_EQ(SourceOf("to"), "default");
}

TEST_F(SettingsTest, TakesAFlagBeforeAVariableBeforeTheFile) {
  const std::string file = File("to = \"file:1\"\n");
  ASSERT_TRUE(settings_.Apply(app_, file).ok());
  EXPECT_EQ(to_, "file:1");
  EXPECT_EQ(SourceOf("to"), "file " + file);
  ::setenv("SIMPUL_TO", "variable:1", 1);
  ASSERT_TRUE(settings_.Apply(app_, file).ok());
  EXPECT_EQ(to_, "variable:1");
  EXPECT_EQ(SourceOf("to"), "variable SIMPUL_TO");
  Parse({"push", "--to", "flag:1"});
  EXPECT_EQ(to_, "flag:1");
  EXPECT_EQ(SourceOf("to"), "flag");
}

TEST_F(SettingsTest, TakesASectionForOneCommandBeforeTheTopForAll) {
  ASSERT_TRUE(
      settings_.Apply(app_, File("to = \"all:1\"\n[push]\nto = \"one:1\"\njson = true\n")).ok());
  EXPECT_EQ(to_, "one:1");
  EXPECT_EQ(other_to_, "all:1");
  EXPECT_TRUE(json_);
}

TEST_F(SettingsTest, TakesWhatMustBeGivenFromAVariable) {
  ::setenv("SIMPUL_DATA", "/data", 1);
  ASSERT_TRUE(settings_.Apply(app_, "").ok());
  Parse({"serve"});
  EXPECT_EQ(data_, "/data");
}

TEST_F(SettingsTest, TakesWhatMustBeGivenFromTheFile) {
  ASSERT_TRUE(settings_.Apply(app_, File("[serve]\ndata = \"/data\"\n")).ok());
  Parse({"serve"});
  EXPECT_EQ(data_, "/data");
}

TEST_F(SettingsTest, AsksForWhatMustBeGivenAndNobodyGave) {
  ASSERT_TRUE(settings_.Apply(app_, "").ok());
  EXPECT_THROW(Parse({"serve"}), CLI::RequiredError);
}

TEST_F(SettingsTest, RefusesAKeyThatNoCommandKnows) {
  const absl::Status status = settings_.Apply(app_, File("too = \"x:1\"\n"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("too"), std::string::npos);
}

TEST_F(SettingsTest, RefusesAFileThatIsNotThere) {
  EXPECT_EQ(settings_.Apply(app_, (folder_ / "none").string()).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace simpul::cli
