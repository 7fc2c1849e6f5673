// Where delivery records go. One virtual class: the national platform is its only implementation
// until there is another receiver.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "lib/deliver/decide.h"
#include "lib/deliver/found.h"
#include "lib/deliver/patient_query.h"

namespace simpul::deliver {

// What a search answered.
struct SearchAnswer {
  Verdict verdict;  // kDone: `found` holds everything that was found
  std::vector<FoundResource> found;
};

// What a look-up of a patient answered.
struct PatientAnswer {
  Verdict verdict;  // kDone: `choice` says who it is
  PatientChoice choice;
};

// Takes transactions and answers questions about what it has. Every call returns at once and later
// calls `done` exactly once, on a thread of the destination: it must be short and must not wait.
// Errors are values of the verdict. Any thread. What is still under way when it is destroyed is
// answered as lost before the destructor returns.
class Destination {
 public:
  virtual ~Destination() = default;

  // Sends a transaction Bundle of `entries` entries in the name of an organisation.
  virtual void Send(const std::string& organization, std::string bundle, size_t entries,
                    absl::AnyInvocable<void(Verdict)> done) = 0;

  // Resources of a type with this identifier. Whose they are is for the caller to judge.
  virtual void Search(const std::string& organization, const std::string& resource_type,
                      const std::string& system, const std::string& value,
                      absl::AnyInvocable<void(SearchAnswer)> done) = 0;

  // The Immunizations of a patient.
  virtual void SearchImmunizations(const std::string& organization, const std::string& patient_id,
                                   absl::AnyInvocable<void(SearchAnswer)> done) = 0;

  // What the destination calls a person.
  virtual void FindPatient(const std::string& organization, const PatientQuery& query,
                           absl::AnyInvocable<void(PatientAnswer)> done) = 0;
};

}  // namespace simpul::deliver
