// The one broker that tests/support/with_kafka.py starts.
#pragma once

#include <sys/types.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lib/base/check.h"

namespace simpul::bench {

// For what it costs.
inline pid_t BrokerPid() {
  const char* folder = std::getenv("SIMPUL_KAFKA_DIR");
  SIMPUL_CHECK(folder != nullptr, "run by tests/support/with_kafka.py");
  std::ifstream in(std::filesystem::path(folder) / "1/pid");
  pid_t pid = 0;
  in >> pid;
  SIMPUL_CHECK(pid > 0, "the broker has left no pid");
  return pid;
}

}  // namespace simpul::bench
