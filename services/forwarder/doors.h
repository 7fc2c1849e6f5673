// The doors before the platform: one that every record goes through, and one of each organisation.
// Trouble that is not one record's own closes them for a time.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "forwarder/send_gate.h"
#include "lib/base/clock.h"
#include "lib/deliver/decide.h"
#include "simpul/event/v1/identity.pb.h"

namespace simpul::forwarder {

// Used from the sender's thread, but for WhyClosed. A door is named by its organisation; the
// platform's has no name.
class Doors {
 public:
  // What closes a door to every record behind it.
  struct Closed {
    std::string reason;
    std::string platform_says;
    base::Time until;  // the next try
  };
  struct Shut {
    std::string door;
    base::Time until;
  };

  explicit Doors(deliver::RetryPolicy policy) : policy_(policy) {}

  // True when a request may go through that door now.
  bool Open(const std::string& door, base::Time now) const;
  // The first door that a request of the organisation cannot go through now.
  std::optional<Shut> FirstShut(const std::string& organization, base::Time now) const;
  // When the next closed door may be tried.
  std::optional<base::Time> NextOpening(base::Time now) const;

  // A request of the organisation begins. It ends with Tell, or with Leave when none was made.
  void Enter(const std::string& organization);
  void Leave(const std::string& organization);
  // It was answered. A door that closes shows the platform's words with other patients' records
  // too, so without what names `patient`. `random` in [0, 1).
  void Tell(const std::string& organization, const deliver::Verdict& verdict,
            const event::v1::Subject& patient, base::Time now, double random);
  // Forgets all trouble.
  void OpenAll();

  // What keeps every record of the organisation from being sent now. Any thread.
  std::optional<Closed> WhyClosed(const std::string& organization) const;

 private:
  void Show(const std::string& door);

  const deliver::RetryPolicy policy_;
  std::map<std::string, SendGate> gates_;

  mutable std::mutex mutex_;
  std::map<std::string, Closed> closed_;  // guarded: the gates with trouble
};

}  // namespace simpul::forwarder
