// docs/errors.md, made of the rules.
#pragma once

#include <string>

namespace simpul::event {

// The whole file. The program errors_doc prints it; a test compares it with what is committed.
std::string ErrorsDoc();

}  // namespace simpul::event
