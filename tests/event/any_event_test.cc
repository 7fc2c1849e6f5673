// Validate has an answer for every event, and no answer holds a value.

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "lib/event/validate.h"
#include "tests/support/sample_events.h"

namespace simpul::event {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using simpul::testing::SampleEvents;
using simpul::testing::SampleNow;

constexpr std::string_view kCanary = "Zwxqkanarie";

// Sets, changes and clears fields of an event at random, deep inside as well.
class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  uint32_t Number() { return static_cast<uint32_t>(random_()); }

  void Mutate(Message& message, int depth = 0) {
    const auto* type = message.GetDescriptor();
    const auto* reflection = message.GetReflection();
    const FieldDescriptor* field = type->field(static_cast<int>(Number() % type->field_count()));
    if (Number() % 6 == 0) {
      reflection->ClearField(&message, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (depth > 6) return;
      if (!field->is_repeated()) {
        Mutate(*reflection->MutableMessage(&message, field), depth + 1);
      } else if (reflection->FieldSize(message, field) == 0 || Number() % 8 == 0) {
        for (uint32_t more = Number() % 12 == 0 ? 500 : 1; more > 0; --more) {
          Mutate(*reflection->AddMessage(&message, field), depth + 1);
        }
      } else {
        const int size = reflection->FieldSize(message, field);
        Mutate(*reflection->MutableRepeatedMessage(
                   &message, field, static_cast<int>(Number() % static_cast<uint32_t>(size))),
               depth + 1);
      }
    } else {
      SetScalar(message, field);
    }
  }

 private:
  void SetScalar(Message& message, const FieldDescriptor* field) {
    const auto* reflection = message.GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (field->is_repeated()) {
          reflection->AddString(&message, field, Text());
        } else {
          reflection->SetString(&message, field, Text());
        }
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(&message, field, Number() % 2 == 0);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(&message, field, static_cast<int>(Number() % 8));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(&message, field, static_cast<int32_t>(Integer()));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(&message, field, static_cast<uint32_t>(Integer()));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&message, field, Integer());
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(&message, field, static_cast<uint64_t>(Integer()));
        break;
      default:
        FAIL() << field->full_name();
    }
  }

  int64_t Integer() {
    switch (Number() % 5) {
      case 0:
        return 0;
      case 1:
        return -1;
      case 2:
        return Number() % 1'000;
      case 3:
        return INT64_MAX - Number() % 2;
      default:
        return INT64_MIN + Number() % 2;
    }
  }

  std::string Text() {
    switch (Number() % 8) {
      case 0:
        return "";
      case 1:
        return "7324021203240001";
      case 2:
        return "2026-02-30";
      case 3:
        return "2026-02-03";
      case 4:
        return std::string(Number() % 5'000, 'x');
      case 5:
        return std::string("\x00\x1f\xff", 3);
      case 6:
        return "-0.0";
      default:
        return std::string(kCanary);
    }
  }

  std::mt19937 random_;
};

TEST(Validate, AnswersForAnyEventAndNeverWithAValue) {
  Mutator mutator(3);
  const auto& samples = SampleEvents();
  std::set<std::string_view> provoked;
  std::set<std::string_view> names;
  for (const Rule& rule : Rules()) names.insert(rule.name);
  for (int round = 0; round < 20'000; ++round) {
    v1::Event event = samples[mutator.Number() % samples.size()].event;
    for (uint32_t changes = 1 + mutator.Number() % 3; changes > 0; --changes) {
      mutator.Mutate(event);
    }
    const auto result = Validate(event, SampleNow());
    const std::vector<Violation>* found = nullptr;
    if (const auto* refusal = std::get_if<Refusal>(&result)) {
      ASSERT_FALSE(refusal->violations.empty());
      found = &refusal->violations;
    } else {
      found = &std::get<ValidEvent>(result).warnings;
    }
    ASSERT_LE(found->size(), 25u);
    for (const Violation& v : *found) {
      ASSERT_TRUE(names.contains(v.rule)) << v.rule;
      provoked.insert(v.rule);
      const std::string all = v.field + v.message + v.fix;
      ASSERT_EQ(all.find(kCanary), std::string::npos) << all;
      ASSERT_EQ(all.find("7324021203240001"), std::string::npos) << all;
    }
  }
  EXPECT_GT(provoked.size(), 60u);
}

}  // namespace
}  // namespace simpul::event
