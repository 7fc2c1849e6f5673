#include "forwarder/doors.h"

#include <gtest/gtest.h>

namespace simpul::forwarder {
namespace {

using deliver::Meaning;
using deliver::Verdict;
using std::chrono::seconds;

constexpr char kOurs[] = "100027469";
constexpr char kOther[] = "100027470";

class DoorsTest : public ::testing::Test {
 protected:
  DoorsTest() : doors({.base = seconds(1), .cap = seconds(300)}) {
    patient.set_name("Siti Aminah");
  }
  void Tell(Meaning meaning, Verdict::Scope scope, const std::string& says = "") {
    Verdict verdict;
    verdict.meaning = meaning;
    verdict.scope = scope;
    verdict.reason = "trouble";
    verdict.platform_says = says;
    doors.Enter(kOurs);
    doors.Tell(kOurs, verdict, patient, now, 0.5);
  }
  bool IsOpen(const std::string& organization) { return !doors.FirstShut(organization, now); }

  const base::Time now = base::FromMicros(1'767'225'600'000'000);
  event::v1::Subject patient;
  Doors doors;
};

TEST_F(DoorsTest, AreOpenAtFirst) {
  EXPECT_TRUE(IsOpen(kOurs));
  EXPECT_FALSE(doors.NextOpening(now));
  EXPECT_FALSE(doors.WhyClosed(kOurs));
}

TEST_F(DoorsTest, OfOneOrganisationCloseForItAlone) {
  Tell(Meaning::kHeld, Verdict::Scope::kOrganization);
  const auto shut = doors.FirstShut(kOurs, now);
  ASSERT_TRUE(shut);
  EXPECT_EQ(shut->door, kOurs);
  EXPECT_EQ(shut->until, now + std::chrono::milliseconds(500));
  EXPECT_EQ(doors.NextOpening(now), shut->until);
  EXPECT_TRUE(IsOpen(kOther));
  EXPECT_FALSE(doors.WhyClosed(kOther));
}

TEST_F(DoorsTest, OfThePlatformCloseForAll) {
  Tell(Meaning::kRetry, Verdict::Scope::kPlatform);
  const auto shut = doors.FirstShut(kOther, now);
  ASSERT_TRUE(shut);
  EXPECT_EQ(shut->door, "");
  ASSERT_TRUE(doors.WhyClosed(kOther));
  EXPECT_EQ(doors.WhyClosed(kOther)->reason, "trouble");
  EXPECT_EQ(doors.WhyClosed(kOther)->until, shut->until);
}

TEST_F(DoorsTest, StayOpenForWhatIsOneRecordsOwnTrouble) {
  Tell(Meaning::kRefused, Verdict::Scope::kRecord);
  Tell(Meaning::kHeld, Verdict::Scope::kRecord);
  Tell(Meaning::kRefused, Verdict::Scope::kPlatform);
  EXPECT_TRUE(IsOpen(kOurs));
}

TEST_F(DoorsTest, LetOneThroughAfterTheirTimeAndAllAfterItsSuccess) {
  Tell(Meaning::kRetry, Verdict::Scope::kPlatform);
  const base::Time later = doors.FirstShut(kOurs, now)->until;
  EXPECT_TRUE(doors.Open("", later));
  doors.Enter(kOurs);
  EXPECT_FALSE(doors.Open("", later));
  doors.Leave(kOurs);
  EXPECT_TRUE(doors.Open("", later));
  doors.Enter(kOurs);
  doors.Tell(kOurs, Verdict{}, patient, later, 0.5);
  doors.Enter(kOurs);
  EXPECT_FALSE(doors.FirstShut(kOurs, later));
  EXPECT_FALSE(doors.WhyClosed(kOurs));
}

TEST_F(DoorsTest, ShowNobodysName) {
  Tell(Meaning::kHeld, Verdict::Scope::kOrganization, "no access to siti aminah");
  EXPECT_EQ(doors.WhyClosed(kOurs)->platform_says, "no access to ***");
}

TEST_F(DoorsTest, AreOpenedByHand) {
  Tell(Meaning::kRetry, Verdict::Scope::kPlatform);
  doors.OpenAll();
  EXPECT_TRUE(IsOpen(kOurs));
  EXPECT_FALSE(doors.WhyClosed(kOurs));
}

}  // namespace
}  // namespace simpul::forwarder
