#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "lib/event/validate.h"
#include "lib/event/wire_check.h"
#include "tests/support/sample_events.h"

namespace simpul::event {
namespace {

using google::protobuf::Message;
using google::protobuf::UnknownFieldSet;
using simpul::testing::SampleEvent;
using simpul::testing::SampleEvents;
using simpul::testing::SampleNamed;
using simpul::testing::SampleNow;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Wire(const v1::Event& event) { return event.SerializeAsString(); }

// "field rule" of each violation; what an accepted event has is empty.
std::vector<std::string> Found(std::string_view bytes) {
  const auto result = Parse(bytes);
  std::vector<std::string> lines;
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    for (const Violation& v : refusal->violations) {
      lines.push_back(v.field + (v.field.empty() ? "" : " ") + std::string(v.rule));
    }
    EXPECT_FALSE(lines.empty());
  }
  return lines;
}

bool AfterUpgrade(std::string_view bytes) { return std::get<Refusal>(Parse(bytes)).after_upgrade; }

UnknownFieldSet& UnknownOf(Message& message) {
  return *message.GetReflection()->MutableUnknownFields(&message);
}

TEST(Parse, ReadsEverySample) {
  for (const SampleEvent& sample : SampleEvents()) {
    const auto result = Parse(Wire(sample.event));
    ASSERT_TRUE(std::holds_alternative<v1::Event>(result)) << sample.name;
    EXPECT_EQ(Wire(std::get<v1::Event>(result)), Wire(sample.event)) << sample.name;
  }
}

TEST(Parse, RefusesUnknownFieldsAtAnyDepthUntilAnUpgrade) {
  v1::Event event = SampleNamed("growth_visit");
  UnknownOf(event).AddVarint(99, 1);
  const auto result = Parse(Wire(event));
  const auto& refusal = std::get<Refusal>(result);
  EXPECT_TRUE(refusal.after_upgrade);
  EXPECT_EQ(refusal.event_id, event.event_id());
  ASSERT_EQ(refusal.violations.size(), 1u);
  EXPECT_EQ(refusal.violations[0].field, "99");
  EXPECT_EQ(refusal.violations[0].rule, "field.unknown");
  EXPECT_EQ(refusal.violations[0].message, "a field is newer than this Simpul");
  EXPECT_EQ(refusal.violations[0].fix,
            "this Simpul is older than your program: keep it and send it again");

  event = SampleNamed("mental_screening");
  UnknownOf(*event.mutable_screening()->mutable_answers(19)->mutable_quantity())
      .AddLengthDelimited(7, "x");
  EXPECT_THAT(Found(Wire(event)), ElementsAre("screening.answers[19].quantity.7 field.unknown"));

  event = SampleNamed("weighing_corrected");
  UnknownOf(*event.mutable_correction()
                 ->mutable_replacement()
                 ->mutable_subject()
                 ->mutable_identities(1)
                 ->mutable_local())
      .AddFixed64(4, 1);
  UnknownOf(*event.mutable_recorded_at()).AddFixed32(3, 1);
  EXPECT_THAT(Found(Wire(event)),
              ElementsAre("recorded_at.3 field.unknown",
                          "correction.replacement.subject.identities[1].local.4 field.unknown"));
}

TEST(Parse, RefusesUnknownFieldsInEveryMessageOfTheContract) {
  // Every message an event can hold, found by its descriptor, takes no field that it does not have.
  std::set<std::string> seen;
  std::function<void(Message&, v1::Event&)> visit = [&](Message& message, v1::Event& whole) {
    const auto* reflection = message.GetReflection();
    if (seen.insert(message.GetDescriptor()->full_name()).second) {
      UnknownOf(message).AddVarint(500, 1);
      EXPECT_TRUE(AfterUpgrade(Wire(whole))) << message.GetDescriptor()->full_name();
      UnknownOf(message).Clear();
    }
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const auto* field : fields) {
      if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
      if (field->is_repeated()) {
        for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
          visit(*reflection->MutableRepeatedMessage(&message, field, i), whole);
        }
      } else {
        visit(*reflection->MutableMessage(&message, field), whole);
      }
    }
  };
  for (const SampleEvent& sample : SampleEvents()) {
    v1::Event event = sample.event;
    visit(event, event);
  }
  EXPECT_GE(seen.size(), 40u);
}

TEST(Parse, RefusesUnknownChoicesUntilAnUpgrade) {
  v1::Event event = SampleNamed("weighing");
  event.set_purpose(static_cast<v1::Purpose>(3));
  const auto result = Parse(Wire(event));
  const auto& refusal = std::get<Refusal>(result);
  EXPECT_TRUE(refusal.after_upgrade);
  ASSERT_EQ(refusal.violations.size(), 1u);
  EXPECT_EQ(refusal.violations[0].field, "purpose");
  EXPECT_EQ(refusal.violations[0].rule, "enum.unknown");
  EXPECT_EQ(refusal.violations[0].message, "a choice is newer than this Simpul");
  EXPECT_EQ(refusal.violations[0].fix,
            "this Simpul is older than your program: keep it and send it again");

  for (int choice : {-1, 6, 31, 32, 33, 1'000'000}) {
    event = SampleNamed("growth_visit");
    event.mutable_visit()->set_oedema(static_cast<v1::Oedema>(choice));
    EXPECT_THAT(Found(Wire(event)), ElementsAre("visit.oedema enum.unknown")) << choice;
  }
  event = SampleNamed("weighing_corrected");
  event.mutable_correction()->mutable_replacement()->mutable_unit()->set_kind(
      static_cast<v1::UnitKind>(17));
  EXPECT_THAT(Found(Wire(event)), ElementsAre("correction.replacement.unit.kind enum.unknown"));
}

TEST(Parse, RefusesBrokenTextAndNamesTheField) {
  v1::Event event = SampleNamed("growth_visit");
  event.mutable_subject()->set_name("Ananda \xe9");  // Windows-1252
  const std::string bytes = Wire(event);
  const auto result = Parse(bytes);
  const auto& refusal = std::get<Refusal>(result);
  EXPECT_FALSE(refusal.after_upgrade);
  EXPECT_EQ(refusal.event_id, event.event_id());
  ASSERT_EQ(refusal.violations.size(), 1u);
  EXPECT_EQ(refusal.violations[0].field, "subject.name");
  EXPECT_EQ(refusal.violations[0].rule, "text.utf8");
  EXPECT_EQ(refusal.violations[0].message, "a text is not UTF-8");
  EXPECT_EQ(refusal.violations[0].fix,
            "convert it to UTF-8; programs on Windows often hold Windows-1252");

  event = SampleNamed("referral_sent");
  event.mutable_referral()->set_evidence_event_ids(0, "\xff");
  event.mutable_referral()->set_transport("\xc0\x80");
  EXPECT_THAT(Found(Wire(event)), ElementsAre("referral.evidence_event_ids[0] text.utf8",
                                              "referral.transport text.utf8"));
}

TEST(Parse, NamesOnlyTheBrokenTextWhenItsLengthIsWrongToo) {
  v1::Event event = SampleNamed("growth_visit");
  event.mutable_subject()->set_name("XXXX");
  for (std::string_view broken : {"\xff", "\xff\xfe", "\xc3(\xe9", "\xff\xff\xff\xff",
                                  "\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff"}) {
    std::string bytes = Wire(event);
    bytes.replace(bytes.find("XXXX"), 4, broken);
    const std::vector<std::string> found = Found(bytes);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found[0], "subject.name text.utf8");
    EXPECT_THAT(found, Each(Not(HasSubstr("malformed")))) << broken.size();
    EXPECT_FALSE(AfterUpgrade(bytes));
  }
}

TEST(Parse, IsFinalWhenMoreThanAnUpgradeIsNeeded) {
  v1::Event event = SampleNamed("growth_visit");
  event.mutable_subject()->set_name("\xff");
  event.set_purpose(static_cast<v1::Purpose>(3));
  UnknownOf(event).AddVarint(99, 1);
  EXPECT_THAT(Found(Wire(event)),
              ElementsAre("subject.name text.utf8", "purpose enum.unknown", "99 field.unknown"));
  EXPECT_FALSE(AfterUpgrade(Wire(event)));
}

TEST(Parse, RefusesBytesThatAreNoEvent) {
  EXPECT_THAT(Found("not protobuf"), ElementsAre("session_id event.malformed"));
  EXPECT_THAT(Found(std::string("\x00", 1)), ElementsAre("event.malformed"));
  EXPECT_THAT(Found("\x0a\x05"
                    "abc"),
              ElementsAre("event_id event.malformed"));
  EXPECT_THAT(Found("\x08\x01"), ElementsAre("event_id event.malformed")) << "a number for a text";
  EXPECT_THAT(Found("\x78"), ElementsAre("purpose event.malformed")) << "cut off";
  EXPECT_THAT(Found("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
              ElementsAre("purpose event.malformed"))
      << "a number of eleven bytes";
  EXPECT_THAT(Found("\x83\x3e\x84\x3e"), ElementsAre("992 field.unknown", "event.malformed"))
      << "a group";
  const std::string whole = Wire(SampleNamed("growth_visit"));
  EXPECT_THAT(Found(whole.substr(0, whole.size() - 1)), ElementsAre("visit event.malformed"));
  EXPECT_EQ(std::get<Refusal>(Parse("not protobuf")).violations[0].fix,
            "encode it as simpul.event.v1.Event in protobuf");
  EXPECT_FALSE(AfterUpgrade("\x83\x3e\x84\x3e"));
}

TEST(Parse, LeavesAnEmptyEventToValidate) { EXPECT_THAT(Found(""), ElementsAre()); }

TEST(Parse, RefusesMoreThan64KiB) {
  v1::Event event = SampleNamed("growth_visit");
  event.mutable_visit()->set_note(std::string(kEventBytesMax, 'a'));
  const auto result = Parse(Wire(event));
  const auto& refusal = std::get<Refusal>(result);
  ASSERT_EQ(refusal.violations.size(), 1u);
  EXPECT_EQ(refusal.violations[0].rule, "event.too_large");
  EXPECT_EQ(refusal.violations[0].message, "the event is larger than 64 KiB");
  EXPECT_EQ(refusal.event_id, event.event_id());
  EXPECT_FALSE(refusal.after_upgrade);
  event.mutable_visit()->clear_note();
  event.mutable_visit()->set_note(std::string(kEventBytesMax - Wire(event).size() - 10, 'a'));
  EXPECT_LE(Wire(event).size(), kEventBytesMax);
  EXPECT_THAT(Found(Wire(event)), ElementsAre());
}

TEST(Parse, RefusesCorrectionsOfCorrectionsOfCorrections) {
  std::string bytes;
  for (int i = 0; i < 5'000; ++i) {
    std::string outer;
    google::protobuf::io::StringOutputStream stream(&outer);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.WriteTag(i % 2 == 0 ? 3 << 3 | 2 : v1::Event::kCorrectionFieldNumber << 3 | 2);
    out.WriteVarint32(static_cast<uint32_t>(bytes.size()));
    out.WriteString(bytes);
    out.Trim();
    bytes = std::move(outer);
  }
  const auto result = Parse(bytes);
  const auto& refusal = std::get<Refusal>(result);
  ASSERT_EQ(refusal.violations.size(), 1u);
  EXPECT_EQ(refusal.violations[0].rule, "event.too_deep");
}

TEST(Canonical, IsTheSameFromJson) {
  for (const SampleEvent& sample : SampleEvents()) {
    std::string json;
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(sample.event, &json, options).ok());
    v1::Event event;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &event).ok()) << sample.name;
    EXPECT_EQ(Canonical(event), Canonical(sample.event)) << sample.name;
  }
}

struct RawField {
  uint32_t tag = 0;
  std::string value;    // a varint as its number, bytes as they are
  uint64_t number = 0;  // where it is a varint
};

std::vector<RawField> Split(const std::string& bytes) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  std::vector<RawField> fields;
  while (uint32_t tag = in.ReadTag()) {
    RawField field;
    field.tag = tag;
    if ((tag & 7) == 0) {
      EXPECT_TRUE(in.ReadVarint64(&field.number));
    } else {
      uint32_t size = 0;
      EXPECT_TRUE(in.ReadVarint32(&size));
      EXPECT_TRUE(in.ReadString(&field.value, static_cast<int>(size)));
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

void AppendLongVarint(uint64_t value, std::string& out, int extra) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  if (extra == 0 || value >= 0x80) {
    out.push_back(static_cast<char>(value));
    return;
  }
  out.push_back(static_cast<char>(value | 0x80));
  for (int i = 1; i < extra; ++i) out.push_back(static_cast<char>(0x80));
  out.push_back('\0');
}

const google::protobuf::FieldDescriptor* FieldOf(const google::protobuf::Descriptor* type,
                                                 uint32_t tag) {
  return type->FindFieldByNumber(static_cast<int>(tag >> 3));
}

// The same message in other bytes: fields backwards, numbers with needless bytes, single fields
// twice with the right one last.
std::string AwkwardBytes(const google::protobuf::Descriptor* type, const std::string& bytes,
                         std::mt19937& random) {
  std::vector<RawField> fields = Split(bytes);
  // Lists keep their order; everything else may stand anywhere.
  std::stable_sort(fields.begin(), fields.end(),
                   [](const RawField& a, const RawField& b) { return a.tag > b.tag; });
  std::string out;
  for (const RawField& field : fields) {
    const auto* descriptor = FieldOf(type, field.tag);
    const bool twice = !descriptor->is_repeated() && random() % 2 == 0;
    const auto append = [&](const std::string& value, uint64_t number) {
      AppendLongVarint(field.tag, out, static_cast<int>(random() % 2));
      if ((field.tag & 7) == 0) {
        AppendLongVarint(number, out, static_cast<int>(random() % 3) * (number < (1ull << 35)));
      } else {
        AppendLongVarint(value.size(), out, static_cast<int>(random() % 3));
        out += value;
      }
    };
    const bool message =
        descriptor->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE;
    const std::string value =
        message ? AwkwardBytes(descriptor->message_type(), field.value, random) : field.value;
    if (twice && message) {
      append("", 0);  // an empty message merges into nothing
    } else if (twice) {
      append("overwritten", 1);
    }
    append(value, field.number);
  }
  return out;
}

TEST(Canonical, IsTheSameFromReorderedRepeatedAndNeedlesslyLongBytes) {
  std::mt19937 random(7);
  for (const SampleEvent& sample : SampleEvents()) {
    for (int round = 0; round < 20; ++round) {
      const std::string bytes = AwkwardBytes(v1::Event::descriptor(), Wire(sample.event), random);
      ASSERT_NE(bytes, Wire(sample.event));
      const auto result = Parse(bytes);
      ASSERT_TRUE(std::holds_alternative<v1::Event>(result)) << sample.name;
      EXPECT_EQ(Canonical(std::get<v1::Event>(result)), Canonical(sample.event)) << sample.name;
    }
  }
}

TEST(Canonical, HoldsFieldsInTheOrderOfTheirNumbersAndKeepsZeroThatWasSaid) {
  v1::Event event;
  event.mutable_visit()->set_pulse_per_min(0);
  event.mutable_visit()->set_encounter_class(v1::ENCOUNTER_CLASS_HOME);
  event.set_event_id("x");
  EXPECT_EQ(Canonical(event), std::string("\x0a\x01x\xa2\x01\x04\x08\x02\x58\x00", 10));
}

TEST(IsUtf8, KnowsWhatUnicodeAllows) {
  for (std::string_view text :
       {"", "abc", "a\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "eight by\xc3\xa9", "12345678\xc3\xa9z"}) {
    EXPECT_TRUE(IsUtf8(text)) << ::testing::PrintToString(text);
  }
  for (std::string_view text : {"\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                                "12345678\xc3", "\xe2\x82", "\xc3(", "1234567\xff"}) {
    EXPECT_FALSE(IsUtf8(text)) << ::testing::PrintToString(text);
  }
}

// Bytes changed at random: whatever comes out has an answer, and what is accepted is canonical.
TEST(Parse, AnswersForAnyBytes) {
  std::mt19937 random(20260301);
  size_t parsed = 0;
  size_t valid = 0;
  const auto& samples = SampleEvents();
  for (int round = 0; round < 15'000; ++round) {
    std::string bytes = Wire(samples[random() % samples.size()].event);
    for (uint32_t change = random() % 4; change != UINT32_MAX; --change) {
      const size_t at = random() % bytes.size();
      switch (random() % 5) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
          break;
        case 2:
          bytes.erase(at, 1 + random() % 3);
          break;
        case 3:
          bytes.insert(at, 1, static_cast<char>(random()));
          break;
        default:
          bytes += Wire(samples[random() % samples.size()].event).substr(0, 1 + random() % 60);
      }
      if (bytes.empty()) break;
    }
    const auto result = Parse(bytes);
    if (const auto* refusal = std::get_if<Refusal>(&result)) {
      ASSERT_FALSE(refusal->violations.empty());
      continue;
    }
    ++parsed;
    v1::Event event = std::get<v1::Event>(result);
    const std::string canonical = Canonical(event);
    const auto again = Parse(canonical);
    ASSERT_TRUE(std::holds_alternative<v1::Event>(again));
    ASSERT_EQ(Canonical(std::get<v1::Event>(again)), canonical);
    const auto outcome = Validate(std::move(event), SampleNow());
    if (std::holds_alternative<ValidEvent>(outcome)) ++valid;
  }
  EXPECT_GT(parsed, 1'000u);
  EXPECT_GT(valid, 100u);
}

}  // namespace
}  // namespace simpul::event
