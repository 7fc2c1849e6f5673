// What a fuzz target is: one function for libFuzzer, or for driver.cc where that is not built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Works through any bytes; ends the process (SIMPUL_CHECK, a sanitizer) when something is wrong.
// Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace simpul::fuzz {

// Inputs that get far: what mutations begin with.
std::vector<std::string> Seeds();

}  // namespace simpul::fuzz
