// What the process that is killed and the test that kills it agree on.
#pragma once

#include <string>

#include "lib/eventlog/embedded_log.h"

namespace simpul::eventlog {

inline EmbeddedLog::Options CrashTestOptions() {
  return {.partitions = 4, .secret_fingerprint = "12345678"};
}

// The record that carries `name`: of a length that depends on it.
inline std::string CrashTestValue(const std::string& name) {
  const size_t bytes = 200 + std::hash<std::string>()(name) % 800;
  std::string value = name + " ";
  while (value.size() < bytes) value += name;
  return value;
}

}  // namespace simpul::eventlog
