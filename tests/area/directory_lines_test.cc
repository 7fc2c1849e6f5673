#include "lib/area/directory_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/area/lines.h"
#include "tests/support/source_file.h"

namespace simpul::area {
namespace {

using simpul::testing::Read;
using simpul::testing::SourceFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> WrongIn(const std::string& text) {
  const SourceText file{"d.jsonl", text};
  std::vector<std::string> wrong;
  for (const WrongLine& line : ReadLines({&file, 1}).wrong) wrong.push_back(line.Text());
  return wrong;
}

const std::string kFacility =
    R"({"row":"facility","codes":[{"code":"kemenkes|P1"}],"kind":"puskesmas","name":"Nuha"})"
    "\n";
const std::string kPustu =
    R"({"row":"unit","facility":"kemenkes|P1","code":"U1","kind":"pustu","name":"Pustu"})"
    "\n";

// A facility row with these members instead.
std::string FacilityWith(std::string_view members) {
  return R"({"row":"facility","codes":[{"code":"kemenkes|P2"}],"kind":"clinic","name":"x",)" +
         std::string(members) + "}";
}

struct WrongCase {
  std::string line, words;
};

// Each alone after a facility and a Pustu: line 3 is wrong, and only line 3.
const WrongCase kWrong[] = {
    // What is no row.
    {"x", "no JSON at character 1"},
    {R"({"row":"facility")", "no JSON"},
    {"[]", "the line is no object"},
    {"\"\xc3\x28\"", "no JSON at character 2"},
    {"{}", R"("row" is missing)"},
    {R"({"row":1})", R"("row" is no text)"},
    {R"({"row":"facilities"})", "none of its words; write facility, unit, serves"},
    {R"({"row":"region","row":"region","code":"73.24","name":"x"})", R"("row" stands twice)"},
    {R"({"row":"region","code":"73.24","name":"x","nama":"y"})",
     "a member does not exist; there are row, code, name"},
    {"{\"row\":\"" + std::string(kLineBytesMax, 'x') + "\"}", "longer than 64 KiB"},
    // Texts.
    {R"({"row":"region","code":"kemendagri|73","name":""})", R"("name" is missing or empty)"},
    {R"({"row":"region","code":"kemendagri|73","name":["x"]})", R"("name" is no text)"},
    {R"({"row":"region","code":"kemendagri|73","name":"a\tb"})", "control character"},
    {R"({"row":"region","code":"kemendagri|73","name":"7324024105200001"})", "identity number"},
    {R"({"row":"region","code":"kemendagri|73","name":")" + std::string(201, 'x') + "\"}",
     "longer than 200 bytes"},
    // Regions.
    {R"({"row":"region","code":"7324020003","name":"x"})", R"("code" names no region: no system)"},
    {R"({"row":"region","code":"bps|73.24","name":"x"})", "2, 4, 7 or 10 digits"},
    {R"({"row":"region","code":"kemenkes|P1","name":"x"})", R"("code" names no region; write one)"},
    {R"({"row":"region","code":"73.24","name":"x"})", "the province that this regency lies in has"},
    // Facilities.
    {R"({"row":"facility","kind":"clinic","name":"x"})", R"("codes" is missing or empty)"},
    {R"({"row":"facility","codes":"kemenkes|P2","kind":"clinic","name":"x"})",
     R"("codes" is no list)"},
    {R"({"row":"facility","codes":["kemenkes|P2"],"kind":"clinic","name":"x"})",
     "codes[0] is no object"},
    {R"({"row":"facility","codes":[{"code":"P2"}],"kind":"clinic","name":"x"})",
     R"("codes[0].code" names no facility: no system)"},
    {R"({"row":"facility","codes":[{"code":"73.24"}],"kind":"clinic","name":"x"})",
     R"("codes[0].code" names a region)"},
    {R"({"row":"facility","codes":[{"code":"kemenkes|P2","since":"x"}],"kind":"clinic","name":"x"})",
     "codes[0]: a member does not exist; there are code, from, until"},
    {R"({"row":"facility","codes":[{"code":"kemenkes|P2","from":"2026-02-29"}],"kind":"clinic","name":"x"})",
     R"("codes[0].from" is no day)"},
    {R"({"row":"facility","codes":[{"code":"kemenkes|P2","from":"2026-01-01","until":"2026-01-01"}],"kind":"clinic","name":"x"})",
     R"("codes[0].until" is not after "from")"},
    {R"({"row":"facility","codes":[{"code":"kemenkes|P1"}],"kind":"clinic","name":"x"})",
     "one of its codes stands at d.jsonl:1 too"},
    {R"({"row":"facility","codes":[{"code":"bpjs|1","until":"2026-01-02"},{"code":"bpjs|1","from":"2026-01-01"}],"kind":"clinic","name":"x"})",
     "one of its codes stands at d.jsonl:3 too"},
    {R"({"row":"facility","codes":[{"code":"bpjs|1"}],"kind":"Puskesmas","name":"x"})",
     R"("kind" is none of its words; write ministry)"},
    {R"({"row":"facility","codes":[{"code":"bpjs|1"}],"kind":"clinic"})", R"("name" is missing)"},
    {FacilityWith(R"("other_names":[""])"), R"("other_names[0]" is no text or empty)"},
    {FacilityWith(R"("parent":"kemenkes|P9")"), R"("parent" is the code of no facility here)"},
    {FacilityWith(R"("parent":"kemenkes|P2")"), R"("parent" leads into a circle)"},
    {FacilityWith(R"("regions":["73.24.02.2003","kemendagri|73.24"])"),
     R"("regions[1]" is the second of its system)"},
    {FacilityWith(R"("regions":["bpjs|1"])"), R"("regions[0]" names no region)"},
    {FacilityWith(R"("regions":["7324020003"])"), R"("regions[0]" names no region: no system)"},
    {FacilityWith(R"("stages":[{"stage":"aktif","from":"2026-01-01"}])"),
     R"("stages[0].stage" is none of its words; write planned, pilot, active, closed)"},
    {FacilityWith(R"("stages":[{"stage":"active"}])"), R"("stages[0].from" is missing)"},
    {FacilityWith(
         R"("stages":[{"stage":"pilot","from":"2026-01-01"},{"stage":"active","from":"2026-01-01"}])"),
     R"("stages[1].from" is the day of another stage)"},
    // Units.
    {R"({"row":"unit","facility":"kemenkes|P9","code":"U2","kind":"posyandu","name":"x"})",
     R"("facility" is the code of no facility here)"},
    {R"({"row":"unit","facility":"kemenkes|P1","kind":"posyandu","name":"x"})",
     R"("code" is missing)"},
    {R"({"row":"unit","facility":"kemenkes|P1","code":"U1","kind":"posyandu","name":"x"})",
     "this unit stands at d.jsonl:2 too"},
    {R"({"row":"unit","facility":"kemenkes|P1","code":"U2","kind":"posyandu","name":"x","active":[{"until":"2026-01-01"}]})",
     R"("active[0].from" is missing)"},
    {R"({"row":"unit","facility":"kemenkes|P1","code":"U2","kind":"posyandu","name":"x","active":[{"from":"2026-01-02","until":"2026-01-01"}]})",
     R"("active[0].until" is not after "from")"},
    {R"({"row":"unit","facility":"kemenkes|P1","code":"U2","kind":"posyandu","name":"x","active":{}})",
     R"("active" is no list)"},
    // Who serves what.
    {R"({"row":"serves","facility":"kemenkes|P1"})", R"("area" is missing)"},
    {R"({"row":"serves","area":"73.24.02/Sumasang","facility":"kemenkes|P1"})",
     R"("area" names no area: dusun, RW and RT lie in a village)"},
    {R"({"row":"serves","area":"kemenkes|P1","facility":"kemenkes|P1"})",
     R"("area" names a facility)"},
    {R"({"row":"serves","area":"73.24","facility":"kemenkes|P1","unit":"U9"})",
     R"("unit" is no unit of the facility)"},
    {R"({"row":"serves","area":"73.24","facility":"kemenkes|P1","person":"7324024105200001"})",
     R"("person" looks like an identity number; people are named by the id)"},
    // Rosters.
    {R"({"row":"roster","facility":"kemenkes|P1","unit":"U1","role":"nurse"})",
     R"("person" is missing)"},
    {R"({"row":"roster","facility":"kemenkes|P1","unit":"U1","person":"a","role":"bidan"})",
     "write kader, midwife, nurse, other"},
    {R"({"row":"roster","facility":"kemenkes|P1","person":"a","role":"nurse"})",
     "the place is no pustu"},
    {R"({"row":"roster","facility":"kemenkes|P1","unit":"U1","person":"a","role":"nurse","weekdays":["senin"]})",
     R"("weekdays" has a word that is no weekday)"},
    {R"({"row":"roster","facility":"kemenkes|P1","unit":"U1","person":"a","role":"nurse","weekdays":[]})",
     R"("weekdays" is empty)"},
    // Targets.
    {R"({"row":"target","area":"73.24","indicator":"K 1","year":2026,"number":1})",
     R"("indicator" is no name)"},
    {R"({"row":"target","area":"73.24","indicator":"K1","year":"2026","number":1})",
     R"("year" is no whole number; write one from 2000 to 2100)"},
    {R"({"row":"target","area":"73.24","indicator":"K1","year":26,"number":1})", R"("year" is no)"},
    {R"({"row":"target","area":"73.24","indicator":"K1","year":2026,"number":0})",
     R"("number" is no whole number)"},
    {R"({"row":"target","area":"73.24","indicator":"K1","year":2026,"number":1.5})",
     R"("number" is no whole number)"},
    {R"({"row":"target","area":"73.24","indicator":"K1","year":2026})", R"("number" is no)"},
    {R"({"row":"target","area":"kemenkes|P9","indicator":"K1","year":2026,"number":1})",
     R"("area" is the code of no facility here)"},
    // Competencies.
    {R"({"row":"competency","facility":"kemenkes|P1","person":"a","skill":26,"group":"posyandu","tier":"purwa"})",
     R"("skill" is no whole number; write one from 1 to 25)"},
    {R"({"row":"competency","facility":"kemenkes|P1","person":"a","skill":1,"group":"bayi","tier":"purwa"})",
     R"("group" is none of its words; write posyandu, infant_under_five)"},
    {R"({"row":"competency","facility":"kemenkes|P1","person":"a","skill":1,"group":"posyandu","tier":"pratama"})",
     R"("tier" is none of its words; write purwa, madya, utama)"},
    {R"({"row":"competency","facility":"kemenkes|P9","person":"a","skill":1,"group":"posyandu","tier":"purwa"})",
     R"("facility" is the code of no facility here)"},
    {R"({"row":"skill_needed","measurement":"weigth","skill":1})",
     R"("measurement" is none of its words; write weight)"},
    {R"({"row":"skill_needed","measurement":"weight","skill":0})", R"("skill" is no whole number)"},
};

TEST(DirectoryLines, RefuseEachMistakeWithItsLineAndWhatToDo) {
  for (const auto& [line, words] : kWrong) {
    SCOPED_TRACE(line.substr(0, 200));
    const std::string text = kFacility + kPustu + line + "\n";
    EXPECT_THAT(WrongIn(text), ElementsAre(::testing::AllOf(::testing::StartsWith("d.jsonl:3: "),
                                                            HasSubstr(words))));
    const SourceText file{"d.jsonl", text};
    EXPECT_EQ(ReadLines({&file, 1}).directory.facilities().size(), 0);
    const auto parsed = Parse({&file, 1});
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(base::Message(parsed.status())), Not(HasSubstr("7324024105200001")));
  }
}

// Two rows that cannot both stand, and a third that can stand with the first.
TEST(DirectoryLines, RefuseWhatStandsTwiceOnADay) {
  const struct {
    std::string_view row, second, other, words;
  } kCases[] = {
      {R"("row":"serves","area":"73.24.02.2003//1","facility":"kemenkes|P1","until":"2026-01-01")",
       R"("row":"serves","area":"73.24.02.2003//001","facility":"kemenkes|P1","from":"2025-12-31")",
       R"("row":"serves","area":"73.24.02.2003//001","facility":"kemenkes|P1","from":"2026-01-01")",
       "the same area and who serves it stands at d.jsonl:3 too"},
      {R"("row":"roster","facility":"kemenkes|P1","unit":"U1","person":"a","role":"nurse","weekdays":["mon"])",
       R"("row":"roster","facility":"kemenkes|P1","unit":"U1","person":"a","role":"kader")",
       R"("row":"roster","facility":"kemenkes|P1","unit":"U1","person":"a","role":"kader","weekdays":["tue"])",
       "this person in this pustu stands at d.jsonl:3 too"},
      {R"("row":"target","area":"73.24.02.2003//1","indicator":"K1","year":2026,"number":1)",
       R"("row":"target","area":"73.24.02.2003//01","indicator":"K1","year":2026,"number":2)",
       R"("row":"target","area":"73.24.02.2003//1","indicator":"K1","year":2027,"number":2)",
       "the same area, indicator and year stand at d.jsonl:3 too"},
      {R"("row":"competency","facility":"kemenkes|P1","person":"a","skill":1,"group":"posyandu","tier":"purwa","until":"2026-01-01")",
       R"("row":"competency","facility":"kemenkes|P1","person":"a","skill":1,"group":"posyandu","tier":"madya")",
       R"("row":"competency","facility":"kemenkes|P1","person":"a","skill":1,"group":"posyandu","tier":"madya","from":"2026-01-01")",
       "the same person and skill stands at d.jsonl:3 too"},
      {R"("row":"competency","facility":"kemenkes|P1","person":"a","skill":1,"group":"posyandu","tier":"purwa")",
       R"("row":"competency","facility":"kemenkes|P1","person":"b","skill":1,"group":"adult_elderly","tier":"purwa")",
       R"("row":"competency","facility":"kemenkes|P1","person":"b","skill":2,"group":"adult_elderly","tier":"purwa")",
       R"("group" differs from d.jsonl:3)"},
      {R"("row":"skill_needed","measurement":"weight","skill":1,"until":"2026-01-01")",
       R"("row":"skill_needed","measurement":"weight","skill":1)",
       R"("row":"skill_needed","measurement":"weight","skill":1,"from":"2026-01-01")",
       "the same measurement and skill stands at d.jsonl:3 too"},
      {R"("row":"region","code":"kemendagri|73","name":"x")",
       R"("row":"region","code":"kemendagri|73","name":"y")",
       R"("row":"region","code":"bps|73","name":"y")", "this region stands at d.jsonl:3 too"},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.second);
    const auto with = [&](std::string_view second) {
      return kFacility + kPustu + "{" + std::string(one.row) + "}\n{" + std::string(second) + "}\n";
    };
    EXPECT_THAT(
        WrongIn(with(one.second)),
        ElementsAre(::testing::AllOf(::testing::StartsWith("d.jsonl:4: "), HasSubstr(one.words))));
    EXPECT_THAT(WrongIn(with(one.other)), ElementsAre());
  }
}

TEST(DirectoryLines, HoldWhatIsNamedAgainstTheRegionList) {
  const std::string list = R"({"row":"region","code":"kemendagri|73","name":"Sulawesi Selatan"}
{"row":"region","code":"kemendagri|73.24","name":"Luwu Timur"}
)";
  const std::string rows[] = {
      FacilityWith(R"("regions":["73.25"])"),
      R"({"row":"unit","facility":"kemenkes|P1","code":"U2","kind":"posyandu","name":"x","regions":["73.25"]})",
      R"({"row":"serves","area":"73.25","facility":"kemenkes|P1"})",
      R"({"row":"target","area":"73.25","indicator":"K1","year":2026,"number":1})",
  };
  for (const std::string& row : rows) {
    SCOPED_TRACE(row);
    EXPECT_THAT(WrongIn(list + kFacility + row), ElementsAre(HasSubstr("d.jsonl:4: \"")));
    EXPECT_THAT(WrongIn(list + kFacility + row)[0],
                HasSubstr("names a regency that the region list of kemendagri lacks"));
    EXPECT_THAT(WrongIn(kFacility + row), ElementsAre());  // no list, no opinion
  }
  EXPECT_THAT(WrongIn(list + kFacility + FacilityWith(R"("regions":["bps|7325"])")), ElementsAre());
}

TEST(DirectoryLines, RefuseAReferenceByACodeThatSeveralFacilitiesHad) {
  EXPECT_THAT(
      WrongIn(
          R"({"row":"facility","codes":[{"code":"bpjs|1","until":"2025-01-01"}],"kind":"clinic","name":"Old"}
{"row":"facility","codes":[{"code":"bpjs|1","from":"2025-01-01"}],"kind":"clinic","name":"New"}
{"row":"unit","facility":"bpjs|1","code":"U1","kind":"pustu","name":"x"})"),
      ElementsAre(HasSubstr("d.jsonl:3: \"facility\" is a code that several facilities had")));
}

TEST(DirectoryLines, FindACircleOfParentsOnce) {
  EXPECT_THAT(
      WrongIn(
          R"({"row":"facility","codes":[{"code":"a|1"}],"kind":"clinic","name":"x","parent":"a|2"}
{"row":"facility","codes":[{"code":"a|2"}],"kind":"clinic","name":"x","parent":"a|3"}
{"row":"facility","codes":[{"code":"a|3"}],"kind":"clinic","name":"x","parent":"a|1"})"),
      ElementsAre(HasSubstr("d.jsonl:1: \"parent\" leads into a circle")));
}

TEST(DirectoryLines, NameEveryWrongLineOfEveryFile) {
  const std::string first = kFacility + "x\n# x\n\n{}\n";
  const SourceText files[] = {{"a", first}, {"b", "\xEF\xBB\xBFy"}};
  const Reading reading = ReadLines(files);
  ASSERT_EQ(reading.wrong.size(), 3);
  EXPECT_EQ(reading.wrong_count, 3);
  EXPECT_THAT(reading.wrong[0].Text(), ::testing::StartsWith("a:2: no JSON"));
  EXPECT_THAT(reading.wrong[1].Text(), ::testing::StartsWith("a:5: \"row\""));
  EXPECT_THAT(reading.wrong[2].Text(), ::testing::StartsWith("b:1: no JSON at character 1"));
  EXPECT_THAT(std::string(base::Message(Parse(files).status())),
              ::testing::AllOf(HasSubstr("a:2: "), HasSubstr("2 more")));
}

TEST(DirectoryLines, CountMoreWrongLinesThanTheyDescribe) {
  std::string text;
  for (size_t i = 0; i < kWrongLinesMax + 5; ++i) text += "x\n";
  const SourceText file{"a", text};
  const Reading reading = ReadLines({&file, 1});
  EXPECT_EQ(reading.wrong.size(), kWrongLinesMax);
  EXPECT_EQ(reading.wrong_count, kWrongLinesMax + 5);
}

TEST(DirectoryLines, AreNoneInAnEmptyFile) {
  EXPECT_TRUE(Read("").facilities().empty());
  EXPECT_TRUE(Read("# nobody yet\n\n").facilities().empty());
  EXPECT_TRUE(Parse({}).ok());
}

// The rows between ```json and ``` of docs/directory.md.
std::string DocExample() {
  std::istringstream doc(SourceFile("docs/directory.md"));
  std::string example;
  bool inside = false;
  for (std::string line; std::getline(doc, line);) {
    if (line.starts_with("```")) {
      inside = line == "```json";
    } else if (inside) {
      example += line + "\n";
    }
  }
  return example;
}

TEST(DirectoryDoc, ShowsRowsThatAreReadWithTheRegionsOfTheSample) {
  const std::string example = DocExample();
  const std::string regions = SourceFile("tests/data/regions/nuha.jsonl");
  const SourceText files[] = {{"docs/directory.md", example}, {"nuha.jsonl", regions}};
  const auto directory = Parse(files);
  ASSERT_TRUE(directory.ok()) << directory.status();
  const Counts counts = directory->Count();
  EXPECT_EQ(counts.facilities, 2);
  EXPECT_EQ(counts.units, 2);
  EXPECT_EQ(counts.services, 3);
  EXPECT_EQ(counts.posts, 4);
  EXPECT_EQ(counts.targets, 2);
  EXPECT_EQ(counts.competencies, 1);
  EXPECT_EQ(counts.needed_skills, 0);  // ships empty
  EXPECT_THAT(counts.regions.at("kemendagri"), ElementsAre(1, 1, 1, 5));
  EXPECT_EQ(directory->RegionName({"kemendagri", "73.24.02.2003"}), "Nikkel");
  const size_t nuha =
      *directory->Find({"kemenkes", "P7324020101"}, simpul::testing::D("2026-05-01"));
  EXPECT_TRUE(directory->ReadinessOn({nuha, "PST1"}, simpul::testing::D("2026-05-01")).ready());
}

TEST(DirectoryDoc, NamesEveryWordThatAMemberTakes) {
  const std::string doc = SourceFile("docs/directory.md");
  const std::string lines[] = {
      R"({"row":"x"})",
      R"({"row":"facility","codes":[{"code":"a|1"}],"kind":"x","name":"x"})",
      R"({"row":"facility","codes":[{"code":"a|1"}],"kind":"clinic","name":"x","stages":[{"stage":"x"}]})",
      R"({"row":"roster","facility":"a|1","person":"a","role":"x"})",
      R"({"row":"competency","facility":"a|1","person":"a","skill":1,"group":"x"})",
      R"({"row":"competency","facility":"a|1","person":"a","skill":1,"group":"posyandu","tier":"x"})",
      R"({"row":"skill_needed","measurement":"x"})",
  };
  for (const std::string& line : lines) {
    const std::string wrong = WrongIn(line)[0];
    constexpr std::string_view kWrite = "none of its words; write ";
    const size_t at = wrong.find(kWrite);
    ASSERT_NE(at, std::string::npos) << wrong;
    std::istringstream words(wrong.substr(at + kWrite.size()));
    for (std::string word; std::getline(words >> std::ws, word, ',');) {
      EXPECT_THAT(doc, HasSubstr("`" + word + "`"));
    }
  }
}

}  // namespace
}  // namespace simpul::area
