// Delivery records as the commands show them.
#pragma once

#include <string>

#include "simpul/delivery/v1/delivery.pb.h"
#include "simpul/output.h"

namespace simpul::cli {

// One JSON object.
std::string RecordJson(const delivery::v1::DeliveryRecordTrace& record);

// waiting, delivered, held, refused, superseded, not_sent.
std::string StateWord(delivery::v1::DeliveryState state);

// "delivered after 1 attempt: Encounter/1, …" for a person.
std::string RecordText(const delivery::v1::DeliveryRecordTrace& record);

}  // namespace simpul::cli
