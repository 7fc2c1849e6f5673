#include "sandbox/terminology.h"

#include <gtest/gtest.h>

#include "sandbox/times.h"

namespace simpul::sandbox {
namespace {

TEST(Loinc, TakesCodesWhoseCheckDigitHolds) {
  for (const char* code : {"29463-7", "8302-2", "8306-3", "8308-9", "9843-4", "8339-4", "89269-5",
                           "39156-5", "8480-6", "8462-4", "718-7", "88645-7", "18842-5", "75410-1",
                           "20508-8", "48542-5", "LA26683-5", "LA11882-0", "LA11883-8"}) {
    EXPECT_TRUE(IsLoincCode(code)) << code;
  }
  for (const char* code : {"29463-8", "29463", "-7", "294637", "abc-1", "", "29463-77"}) {
    EXPECT_FALSE(IsLoincCode(code)) << code;
  }
}

TEST(Loinc, CountsTheLettersOfAnswersPartsAndListsIntoTheirCheckDigit) {
  // Detected, not detected, not pregnant, positive, negative, yes, no, unknown, none; a part, a
  // list.
  for (const char* code : {"LA11882-0", "LA11883-8", "LA26683-5", "LA6576-8", "LA6577-6", "LA33-6",
                           "LA32-8", "LA4489-6", "LA137-2", "LP14635-4", "LL715-4"}) {
    EXPECT_TRUE(IsLoincCode(code)) << code;
  }
  // A wrong check digit, two digits changed about, and the check digit of the number alone.
  for (const char* code : {"LA11882-1", "LA11828-0", "LA11882-8", "LA33-1", "LA-6", "LA33", "LA"}) {
    EXPECT_FALSE(IsLoincCode(code)) << code;
  }
}

TEST(Snomed, TakesConceptsWhoseCheckDigitHolds) {
  for (const char* code :
       {"284473002", "1153593003", "1153590000", "1153604005", "248342006", "43664005",
        "1145307003", "284521000", "767224000", "268607006", "3457005", "737492002",
        "52381000119109", "444000005", "17489000", "714628002"}) {
    EXPECT_TRUE(IsSnomedConcept(code)) << code;
  }
  for (const char* code : {"284473003", "12345", "28447300a", "", "0284473002", "284473012"}) {
    EXPECT_FALSE(IsSnomedConcept(code)) << code;
  }
}

TEST(Icd10, TakesAnEntryWithAndWithoutItsPoint) {
  for (const char* code : {"E45", "Z27.8", "A15.0", "R62.9", "Z00.1"}) {
    EXPECT_TRUE(IsIcd10Code(code)) << code;
  }
  for (const char* code : {"e45", "E4", "Z278", "Z27.", "27.8", "Z27.812"}) {
    EXPECT_FALSE(IsIcd10Code(code)) << code;
  }
}

TEST(Ucum, TakesWhatClinicsMeasureIn) {
  for (const char* unit : {"kg",
                           "g",
                           "cm",
                           "mm",
                           "mm[Hg]",
                           "Cel",
                           "/min",
                           "{beats}/min",
                           "%",
                           "kg/m2",
                           "{Zscore}",
                           "g/dL",
                           "mg/dL",
                           "mmol/L",
                           "10*3/uL",
                           "10*9/L",
                           "wk",
                           "d",
                           "min",
                           "h",
                           "mo",
                           "a",
                           "U/L",
                           "[IU]",
                           "mL",
                           "{score}",
                           "1",
                           "ug/mL",
                           "[iU]/mL",
                           "meq/L",
                           "mL/min/{1.73_m2}",
                           "m/s2",
                           "{tablet}",
                           "fL",
                           "pg",
                           "/[HPF]",
                           "mm/h"}) {
    EXPECT_TRUE(IsUcumUnit(unit)) << unit;
  }
  for (const char* unit : {"", "mmHg", "Kg", "kgs", "beats per minute", "kg//m2", "cm ", "mm[Hg",
                           "degC", "mg/", "(kg", "{score"}) {
    EXPECT_FALSE(IsUcumUnit(unit)) << unit;
  }
}

TEST(DateTime, IsReadOnlyInThePlatformsForm) {
  ASSERT_TRUE(ParseDateTime("2026-01-05T01:00:00+00:00").has_value());
  EXPECT_EQ(ParseDateTime("2026-01-05T01:00:00+00:00")->seconds, 1767574800);
  EXPECT_TRUE(ParseDateTime("2026-01-05T01:00:00+00:00")->offset_is_utc);
  EXPECT_EQ(ParseDateTime("2026-01-05T08:00:00+07:00")->seconds, 1767574800);
  EXPECT_FALSE(ParseDateTime("2026-01-05T08:00:00+07:00")->offset_is_utc);
  EXPECT_FALSE(ParseDateTime("2026-01-05T01:00:00Z")->offset_is_utc);
  for (const char* text : {"2026-02-29T01:00:00+00:00", "2026-01-05T24:00:00+00:00", "2026-01-05",
                           "2026-01-05T01:00:00", "2026-01-05T01:00:00.5+00:00", "yesterday",
                           "2026-13-05T01:00:00+00:00", "2026-01-05 01:00:00+00:00"}) {
    EXPECT_FALSE(ParseDateTime(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace simpul::sandbox
