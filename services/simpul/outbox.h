// What clinics send: events in the order in which they arrive, some late, some twice, some put
// right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "simpul/event/v1/event.pb.h"
#include "simpul/random.h"

namespace simpul::cli {

class Outbox {
 public:
  explicit Outbox(uint64_t seed) : seed_(seed), random_(seed * 2 + 7) {}

  // The id of the n-th event that asks: a UUID, version 5.
  std::string NextId();

  // Takes an event as it was written down. It arrives minutes, days or weeks later. Some events are
  // corrected or taken back afterwards, and some of that arrives before the event itself.
  void Put(event::v1::Event event);

  // The same id under another patient, and the same id with other content: what happens when a
  // program reuses its ids. Call once, last; `conflicts` counts the latter.
  void ReuseIds(size_t conflicts);

  // Every line in the order of arrival.
  void ForEach(const std::function<void(const event::v1::Event&)>& take);

 private:
  struct Sent {
    int64_t at_s;  // seconds since 1970
    uint64_t number;
    size_t event;
  };

  // Seconds until what was recorded arrives.
  int64_t Delay();
  void Send(size_t event, int64_t at_s);
  void Correct(const event::v1::Event& original, int64_t after_s);
  // Changes what a correction may change: a weight, a lot, an answer, a referral's reason.
  void PutRight(event::v1::Event& event);
  void Retract(const event::v1::Event& original, int64_t after_s);
  event::v1::Event Amendment(const event::v1::Event& original, int64_t after_s);

  const uint64_t seed_;
  Random random_;
  uint64_t ids_ = 0;
  std::vector<event::v1::Event> events_;
  std::vector<Sent> sent_;
};

}  // namespace simpul::cli
