#include "lib/eventlog/embedded_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "tests/contract/event_log_contract.h"
#include "tests/support/temp_folder.h"

namespace simpul::eventlog {
namespace {

using ::testing::HasSubstr;

EmbeddedLog::Options OptionsFor(std::string fingerprint = "12345678") {
  return {.partitions = LogUnderTest::kPartitions, .secret_fingerprint = std::move(fingerprint)};
}

class EmbeddedUnderTest final : public LogUnderTest {
 public:
  std::unique_ptr<EventLog> Open(size_t in_flight_bytes_max) override {
    EmbeddedLog::Options options = OptionsFor();
    options.in_flight_bytes_max = in_flight_bytes_max;
    absl::StatusOr<std::unique_ptr<EmbeddedLog>> log =
        EmbeddedLog::Open(folder_ / "log", options, base::SystemClock(), metrics_);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

 private:
  testing::TempFolder folder_;
  base::Metrics metrics_;
};

INSTANTIATE_TEST_SUITE_P(Embedded, EventLogContract,
                         ::testing::Values(+[]() -> std::unique_ptr<LogUnderTest> {
                           return std::make_unique<EmbeddedUnderTest>();
                         }));

}  // namespace
}  // namespace simpul::eventlog
