// A stand-in for Indonesia's national health platform (SATUSEHAT) over real HTTP: tokens, look-ups,
// the FHIR API with the platform's rules and error shapes, and faults on demand. docs/sandbox.md
// tells a developer how to use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "lib/base/clock.h"
#include "sandbox/registry.h"

namespace simpul::sandbox {

class Sandbox {
 public:
  struct Options {
    std::filesystem::path data;         // journal and lock; made if missing
    std::string http = "127.0.0.1:0";   // HOST:PORT, port 0: any
    std::filesystem::path credentials;  // empty: any client id and secret; Tokens::Load
    std::filesystem::path population;   // empty: everybody is known; People::Load
    bool duplicate_check = true;        // also PUT /sandbox/v1/settings
    DuplicateNumber duplicate_number = DuplicateNumber::kAlternate;
    bool sync_every_commit = false;  // answers after the disk has it, not only the system
    int token_seconds = 3599;
    int future_slack_seconds = 5;  // times so far ahead of the clock are not in the future
    uint64_t fault_seed = 1;       // of the faults' probabilities
    int threads = 2;
    const base::Clock* clock = &base::SystemClock();
  };

  // Reads the files, then the journal, then listens. Unavailable: the port is in use.
  // FailedPrecondition: another process uses the folder. InvalidArgument: a file is wrong.
  // DataLoss: the journal is damaged. NotFound: a file is missing.
  static absl::StatusOr<std::unique_ptr<Sandbox>> Start(Options options);

  // Stops listening; what was answered is in the journal. Any thread may still be in a request.
  virtual ~Sandbox() = default;

  // HOST:PORT with the port that was chosen. Under it: /oauth2/v1, /fhir-r4/v1, /sandbox/v1,
  // /livez, /metrics.
  virtual const std::string& address() const = 0;
};

}  // namespace simpul::sandbox
