#include "lib/eventlog/in_flight.h"

#include <fmt/format.h>

#include <utility>

namespace simpul::eventlog {
namespace {

class Reservation final : public Admission {
 public:
  Reservation(std::shared_ptr<std::atomic<size_t>> in_flight_bytes, size_t bytes)
      : in_flight_bytes_(std::move(in_flight_bytes)), bytes_(bytes) {}
  ~Reservation() override { in_flight_bytes_->fetch_sub(bytes_); }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  const std::shared_ptr<std::atomic<size_t>> in_flight_bytes_;
  const size_t bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Admission>> InFlight::Admit(size_t bytes) {
  size_t before = bytes_->load();
  do {
    if (before + bytes > bytes_max_) {
      return absl::ResourceExhaustedError(fmt::format(
          "{} bytes are on their way to the log and {} more would pass the limit of {}. "
          "Send the same again in a moment",
          before, bytes, bytes_max_));
    }
  } while (!bytes_->compare_exchange_weak(before, before + bytes));
  return std::make_unique<Reservation>(bytes_, bytes);
}

}  // namespace simpul::eventlog
