#include <gtest/gtest.h>

#include "lib/fhir/code_check.h"
#include "lib/fhir/decimal.h"
#include "lib/fhir/instant.h"
#include "lib/fhir/json_writer.h"
#include "lib/fhir/terminology.h"

namespace simpul::fhir {
namespace {

TEST(ScaledDecimal, PrintsEveryDigitThatCountsAndNoOther) {
  EXPECT_EQ(ScaledDecimal(7450, 3), "7.45");
  EXPECT_EQ(ScaledDecimal(7000, 3), "7");
  EXPECT_EQ(ScaledDecimal(100'001, 3), "100.001");
  EXPECT_EQ(ScaledDecimal(5, 3), "0.005");
  EXPECT_EQ(ScaledDecimal(0, 3), "0");
  EXPECT_EQ(ScaledDecimal(365, 1), "36.5");
  EXPECT_EQ(ScaledDecimal(120, 0), "120");
  EXPECT_EQ(ScaledDecimal(18'446'744'073'709'551'615u, 3), "18446744073709551.615");
}

TEST(JsonDecimal, KeepsValueAndPrecision) {
  EXPECT_EQ(JsonDecimal("11.50"), "11.50");
  EXPECT_EQ(JsonDecimal("+07.5"), "7.5");
  EXPECT_EQ(JsonDecimal("-0.25"), "-0.25");
  EXPECT_EQ(JsonDecimal(".5"), "0.5");
  EXPECT_EQ(JsonDecimal("5."), "5");
  EXPECT_EQ(JsonDecimal("000"), "0");
  EXPECT_EQ(JsonDecimal("12345678901234567890.123456789"), "12345678901234567890.123456789");
}

TEST(JsonDecimal, RefusesWhatIsNoDecimal) {
  for (const char* text : {"", "+", "-", ".", "1e5", "1,5", "12 ", "0x10", "1.2.3", "--1", "NaN"}) {
    EXPECT_EQ(JsonDecimal(text), std::nullopt) << text;
  }
}

TEST(JsonWriter, EscapesWhatPeopleWrite) {
  JsonWriter json;
  json.Open();
  json.Text("a", "\"quoted\" \\ back\nline\x01 \u00e9\u4e2d");
  json.TextIfAny("none", "");
  json.OpenList("b");
  json.Raw("1");
  json.Open();
  json.Integer("c", -9'223'372'036'854'775'807 - 1);
  json.Flag("d", false);
  json.Close();
  json.CloseList();
  json.Raw("e", "7.450");
  json.Close();
  EXPECT_EQ(json.text(),
            "{\"a\":\"\\\"quoted\\\" \\\\ back\\u000aline\\u0001 \u00e9\u4e2d\",\"b\":[1,"
            "{\"c\":-9223372036854775808,\"d\":false}],\"e\":7.450}");
  json.Restart();
  json.Open();
  json.Close();
  EXPECT_EQ(json.text(), "{}");
}

TEST(FormatInstant, WritesUtcWithItsOffset) {
  EXPECT_EQ(FormatInstant(Instant(std::chrono::seconds(0))), "1970-01-01T00:00:00+00:00");
  EXPECT_EQ(FormatInstant(Instant(std::chrono::seconds(1'767'661'800))),
            "2026-01-06T01:10:00+00:00");
  EXPECT_EQ(FormatInstant(Instant(std::chrono::seconds(1'709'251'199))),
            "2024-02-29T23:59:59+00:00");
}

TEST(InstantOf, DropsFractionsOfASecond) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(10);
  timestamp.set_nanos(999'999'999);
  EXPECT_EQ(FormatInstant(InstantOf(timestamp)), "1970-01-01T00:00:10+00:00");
}

TEST(LocalMidnight, LiesOnTheDayBeforeInUtcEastOfGreenwich) {
  const std::chrono::sys_days day = std::chrono::year(2026) / 2 / 3;
  EXPECT_EQ(FormatInstant(LocalMidnight(day, 420)), "2026-02-02T17:00:00+00:00");
  EXPECT_EQ(FormatInstant(LocalMidnight(day, 540)), "2026-02-02T15:00:00+00:00");
  EXPECT_EQ(FormatInstant(LocalMidnight(day, -60)), "2026-02-03T01:00:00+00:00");
}

TEST(IsUcumUnit, TakesTheUnitsOfPrimaryCare) {
  for (const char* unit :
       {"kg",      "g",       "cm",       "mm[Hg]",   "Cel",         "/min",    "%",
        "g/dL",    "mg/dL",   "mmol/L",   "umol/L",   "wk",          "10*3/uL", "10*9/L",
        "[IU]/mL", "m[IU]/L", "{tablet}", "{Zscore}", "{beats}/min", "kg/m2",   "mL/min/{1.73_m2}",
        "mL",      "mg",      "ug",       "/[HPF]",   "1",           "s",       "[pH]",
        "U/L",     "fL",      "pg",       "{score}",  "[drp]",       "a",       "mo",
        "d",       "h",       "cm2",      "kPa"}) {
    EXPECT_TRUE(IsUcumUnit(unit)) << unit;
  }
}

TEST(IsUcumUnit, RefusesWhatThePlatformCannotRead) {
  for (const char* unit : {"", "kgg", "mg per dl", "mmHg", "tablet", "g//dL", "/", "{", "}", "{}",
                           "g/", "°C", "menit", "x/mnt", "{a}{b}", "kg m"}) {
    EXPECT_FALSE(IsUcumUnit(unit)) << unit;
  }
}

TEST(CodeForms, TakeEveryCodeOfTheTables) {
  for (const Measure* measure : {&kWeight, &kLengthLying, &kLengthStanding, &kLengthUnspecified,
                                 &kHead, &kMuac, &kWaist, &kTemperature, &kPulse, &kBreathing,
                                 &kSpo2, &kSystolic, &kDiastolic, &kFundalHeight, &kFetalHeart}) {
    const bool fits = measure->code.system == kLoinc ? IsLoincCode(measure->code.code)
                                                     : IsSnomedConcept(measure->code.code);
    EXPECT_TRUE(fits) << measure->code.code;
    EXPECT_TRUE(IsUcumUnit(measure->unit)) << measure->unit;
    EXPECT_TRUE(UnitFits(measure->code.system, measure->code.code, measure->unit));
  }
  for (int degree = event::v1::OEDEMA_NONE; degree <= event::v1::OEDEMA_PRESENT; ++degree) {
    EXPECT_TRUE(IsSnomedConcept(OedemaFinding(static_cast<event::v1::Oedema>(degree)).code));
  }
  for (const char* code : {"277132007", "767224000", "3457005", "737492002", "737481003",
                           "385868005", "284521000", "446840000", "714283000"}) {
    EXPECT_TRUE(IsSnomedConcept(code)) << code;
  }
  for (const char* code :
       {"18185-9", "11996-6", "11977-6", "69043-8", "8665-2", "11778-8", "72233-0", "71722-3",
        "48542-5", "96762-0", "69337-4", "LA11882-0", "LA6576-8", "LA33-6"}) {
    EXPECT_TRUE(IsLoincCode(code)) << code;
  }
}

TEST(CodeForms, RefuseATypingError) {
  EXPECT_FALSE(IsLoincCode("29463-8"));
  EXPECT_FALSE(IsLoincCode("29463"));
  EXPECT_FALSE(IsLoincCode("weight"));
  EXPECT_FALSE(IsLoincCode("LA11882-1"));
  EXPECT_FALSE(IsLoincCode("LA"));
  EXPECT_FALSE(IsLoincCode("LA-6"));
  EXPECT_FALSE(IsSnomedConcept("284521001"));
  EXPECT_FALSE(IsSnomedConcept("284512000"));
  EXPECT_FALSE(IsSnomedConcept("12345"));
  for (const char* code : {"A09", "A09.9", "Z00.1", "S52.50"}) EXPECT_TRUE(IsIcd10Code(code));
  for (const char* code : {"", "A0", "A099", "a09.9", "A09.", "A09.x", "A09.1234", "AA9.1"}) {
    EXPECT_FALSE(IsIcd10Code(code)) << code;
  }
}

TEST(VisitOrdinalSystem, KnowsTheProgrammes) {
  EXPECT_EQ(VisitOrdinalSystem("K4"),
            "http://terminology.kemkes.go.id/CodeSystem/episodeofcare/ANC");
  EXPECT_EQ(VisitOrdinalSystem("K1A"),
            "http://terminology.kemkes.go.id/CodeSystem/episodeofcare/ANC");
  EXPECT_EQ(VisitOrdinalSystem("KN1"),
            "http://terminology.kemkes.go.id/CodeSystem/episodeofcare/neonate");
  EXPECT_EQ(VisitOrdinalSystem("KF3"),
            "http://terminology.kemkes.go.id/CodeSystem/episodeofcare/puerperium");
  EXPECT_EQ(VisitOrdinalSystem(""), "");
  EXPECT_EQ(VisitOrdinalSystem("K"), "");
  EXPECT_EQ(VisitOrdinalSystem("3"), "");
}

TEST(ContactReasonCode, IsAlwaysAReasonAndNeverADisease) {
  for (const auto& [reason, code] :
       {std::pair(ContactReason::kChild, "Z00.1"), std::pair(ContactReason::kAdolescent, "Z00.3"),
        std::pair(ContactReason::kImmunisation, "Z27.8"),
        std::pair(ContactReason::kPregnancy, "Z34.9"),
        std::pair(ContactReason::kPostpartum, "Z39.2"),
        std::pair(ContactReason::kOther, "Z00.0")}) {
    EXPECT_EQ(ContactReasonCode(reason).code, code);
  }
}

}  // namespace
}  // namespace simpul::fhir
