#include "lib/deliver/without_patient.h"

#include <gtest/gtest.h>

namespace simpul::deliver {
namespace {

event::v1::Subject Siti() {
  event::v1::Subject subject;
  subject.set_name("Siti Nur Ab");
  subject.set_phone("081234567890");
  subject.set_family_card("7324010101010001");
  subject.add_identities()->mutable_nik()->set_number("7324021203240001");
  subject.add_identities()->mutable_newborn()->set_mother_nik("7324025708960002");
  subject.add_identities()->mutable_passport()->set_number("XR1402217");
  subject.add_identities()->mutable_card()->set_number("0002035020396");
  return subject;
}

TEST(WithoutPatient, MasksTheWholeNameAndEachOfItsWordsHoweverTheyAreCased) {
  EXPECT_EQ(WithoutPatient("SITI NUR AB is known; siti is not, nor Nur", Siti()),
            "*** is known; *** is not, nor ***");
}

TEST(WithoutPatient, MasksEveryNumber) {
  EXPECT_EQ(WithoutPatient("7324021203240001 7324025708960002 xr1402217 0002035020396 "
                           "081234567890 7324010101010001",
                           Siti()),
            "*** *** *** *** *** ***");
}

TEST(WithoutPatient, LeavesWordsThatNameNobody) {
  // Ab is too short to name her.
  EXPECT_EQ(WithoutPatient("Ab initio: (RuleNumber: 10117)", Siti()),
            "Ab initio: (RuleNumber: 10117)");
  EXPECT_EQ(WithoutPatient("no one", event::v1::Subject()), "no one");
}

}  // namespace
}  // namespace simpul::deliver
