#include "lib/event/kind.h"

#include <gtest/gtest.h>

#include "simpul/event/v1/event.pb.h"

namespace simpul::event {
namespace {

TEST(Kind, IsNamedAndNumberedAsThePayloadFieldOfTheContract) {
  const google::protobuf::OneofDescriptor* payload =
      v1::Event::descriptor()->FindOneofByName("payload");
  ASSERT_EQ(payload->field_count(), 16);
  for (int i = 0; i < payload->field_count(); ++i) {
    const auto* field = payload->field(i);
    EXPECT_EQ(KindName(static_cast<uint32_t>(field->number())), field->name());
    ASSERT_TRUE(KindOfName(field->name()).has_value()) << field->name();
    EXPECT_EQ(static_cast<int>(*KindOfName(field->name())), field->number());
  }
}

TEST(Kind, HasNoNameForOtherNumbers) {
  EXPECT_EQ(KindName(0), "");
  EXPECT_EQ(KindName(19), "");
  EXPECT_EQ(KindName(36), "");
  EXPECT_FALSE(KindOfName("weighing").has_value());
  EXPECT_FALSE(KindOfName("").has_value());
}

TEST(Kind, OnlyCorrectionsAndRetractionsAreAmendments) {
  for (uint32_t kind = 0; kind < 40; ++kind) {
    EXPECT_EQ(IsAmendment(kind), kind == 34 || kind == 35) << kind;
  }
}

}  // namespace
}  // namespace simpul::event
