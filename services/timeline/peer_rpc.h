// A peer over gRPC.
#pragma once

#include <memory>
#include <string>

#include "timeline/peer.h"

namespace simpul::timeline_role {

// The metadata that a call carries which one replica hands to another: it is answered there or not
// at all.
inline constexpr char kHandedOver[] = "simpul-handed-over";

// Connects when first asked; finds a replica that was restarted within two seconds.
std::unique_ptr<Peer> PeerAt(const std::string& address);

}  // namespace simpul::timeline_role
