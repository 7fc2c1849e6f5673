// What GetGrowth answers, from what a person's entries say. Pure.
#pragma once

#include "lib/timeline/child_growth.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/timeline/v1/growth.pb.h"

namespace simpul::timeline_role {

// Sets all but position and records_behind.
void ShowGrowth(const timeline::ChildGrowth& growth, const event::v1::Subject& person,
                timeline::v1::GetGrowthResponse& response);

}  // namespace simpul::timeline_role
