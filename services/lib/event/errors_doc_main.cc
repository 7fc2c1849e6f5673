// Prints docs/errors.md.
#include <fmt/format.h>

#include "lib/event/errors_doc.h"

int main() { fmt::print("{}", simpul::event::ErrorsDoc()); }
