// Words of others, fit to be shown and kept: without what names a patient. Pure.
#pragma once

#include <string>

#include "simpul/event/v1/identity.pb.h"

namespace simpul::deliver {

// The words with `***` for the subject's names, identity numbers, phone and family card, however
// their letters are cased. What has fewer than three bytes stays: it names nobody, and would take
// half the words with it.
std::string WithoutPatient(std::string words, const event::v1::Subject& subject);

}  // namespace simpul::deliver
