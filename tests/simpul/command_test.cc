#include "simpul/command.h"

#include <gmock/gmock.h>

namespace simpul::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Explain, SaysThatNobodyAnswersOnlyWhenNobodyDoes) {
  EXPECT_THAT(Explain(absl::UnavailableError("failed to connect to all addresses; last error: "
                                             "Connection refused"),
                      "127.0.0.1:7400"),
              AllOf(HasSubstr("no Simpul answers at 127.0.0.1:7400"), HasSubstr("simpul serve")));
  EXPECT_THAT(
      Explain(absl::UnavailableError("This Simpul is shutting down."), "127.0.0.1:7400"),
      AllOf(HasSubstr("127.0.0.1:7400 cannot answer now: This Simpul is shutting down; try"),
            Not(HasSubstr("no Simpul"))));
  EXPECT_THAT(Explain(absl::UnavailableError("replica 1 does not answer (failed to connect to all "
                                             "addresses; last error: Connection refused)."),
                      "127.0.0.1:7400"),
              AllOf(HasSubstr("127.0.0.1:7400 cannot answer now: replica 1 does not answer"),
                    Not(HasSubstr("no Simpul"))));
}

TEST(Explain, GivesTheServersWords) {
  EXPECT_EQ(Explain(absl::InvalidArgumentError("patient: no identity is set."), "h:1"),
            "h:1 answered: patient: no identity is set.");
}

}  // namespace
}  // namespace simpul::cli
