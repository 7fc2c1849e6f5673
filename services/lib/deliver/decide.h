// What an answer of the platform means, and what to do next. Pure: no I/O, no clock, no randomness
// of its own.
//
// Two steps: Classify says what one HTTP exchange means, Decide says what becomes of the delivery
// record.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::deliver {

// What came back from one HTTP exchange.
struct HttpAnswer {
  enum class Arrival {
    kWhole,      // a whole answer
    kNeverSent,  // the platform cannot have seen the request: no connection was made
    kLost,       // it may have seen it; no answer came, or half of one
  };
  Arrival arrival = Arrival::kWhole;
  std::string problem;  // not kWhole: a stable word such as unreachable, timed_out, connection_lost
  int status = 0;
  std::string body;
  std::string retry_after;  // header, as sent
  std::string request_id;   // header x-request-id, as sent
};

// What an exchange means.
enum class Meaning {
  kDone,       // the platform has it
  kRetry,      // it was not taken; trying again can cure it
  kUnknown,    // it may have been taken
  kDuplicate,  // the platform says it has this already: search and adopt
  kHeld,       // something outside the record is missing: a permission, a credential, a reference
  kRefused,    // refused for good
};

// The platform's id of one resource of an answered transaction, in the order of the request.
struct CreatedResource {
  std::string resource_type;
  std::string id;
};

struct Verdict {
  Meaning meaning = Meaning::kDone;
  std::string reason;         // stable: rule_10117, http_504, unreachable, credentials, ...
  std::string platform_says;  // the platform's own words, numbers of nine digits and more masked
  std::string request_id;
  std::optional<std::chrono::seconds> wait_min;  // the platform asked to wait this long
  // How long the trouble reaches: the record alone, all of the organisation, or the platform.
  enum class Scope { kRecord, kOrganization, kPlatform } scope = Scope::kRecord;
  // True when the back end may still be at work on the request: it is not searched before the
  // request limit has passed.
  bool may_go_on = false;
  std::vector<CreatedResource> created;  // kDone
};

// One issue of an OperationOutcome.
struct Issue {
  std::string severity;
  std::string code;
  std::string text;  // details.text, else diagnostics, else details.coding's display
  std::string rule;  // digits of "(RuleNumber: NNNNN)"; empty when there is none
};

// The issues of an OperationOutcome; empty when the body is none. Lenient: unknown severities and
// missing members are taken as they are.
std::vector<Issue> ReadIssues(std::string_view body);

// Retry-After in seconds or as an HTTP date (RFC 9110 section 10.2.3); nullopt when it is neither.
// A date that has passed is 0 s.
std::optional<std::chrono::seconds> ReadRetryAfter(std::string_view header, base::Time now);

// What the answer to a transaction Bundle of `entries` entries means.
Verdict ClassifyTransaction(const HttpAnswer& answer, size_t entries, base::Time now);

// What the answer to a search or look-up means: kDone when its body is a searchset (or any 200 with
// a Bundle). Never kUnknown: asking again is always safe.
Verdict ClassifyRead(const HttpAnswer& answer, base::Time now);

// How long to wait between tries.
struct RetryPolicy {
  std::chrono::milliseconds base{1000};
  std::chrono::milliseconds cap{300'000};
  // A request older than this is no longer at work at the platform; also the requests' time-out.
  std::chrono::milliseconds request_limit{30'000};
  // Base and cap for what is held because the platform does not know it yet.
  std::chrono::milliseconds held_base{60'000};
  std::chrono::milliseconds held_cap{6 * 3600 * 1000};
};

// Full jitter: random * min(cap, base * 2^(tries - 1)). `random` in [0, 1), `tries` from 1.
std::chrono::microseconds FullJitter(std::chrono::milliseconds base, std::chrono::milliseconds cap,
                                     uint32_t tries, double random);

// One try of a delivery record.
struct Try {
  uint32_t tries = 1;  // how often it was tried or held before, and this one
  base::Time started;  // when the attempt was written
  base::Time now;
  double random = 0;  // in [0, 1)
};

// What becomes of a delivery record.
struct Decision {
  log::v1::OutcomeClass outcome = log::v1::OUTCOME_CLASS_UNSPECIFIED;
  std::string reason;
  // Earliest next try; nullopt: none by itself.
  std::optional<base::Time> retry_at;
  // True: search every part now and adopt what is ours; `outcome` is what stands when that fails.
  bool adopt = false;
};

Decision Decide(const Verdict& verdict, const Try& attempt, const RetryPolicy& policy);

}  // namespace simpul::deliver
