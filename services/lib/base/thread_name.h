// Names of threads, for who looks at a running process.
#pragma once

#include <sys/prctl.h>

#include <string>
#include <string_view>

namespace simpul::base {

// Names the calling thread, as `top -H` and /proc show it: what is beyond 15 bytes is cut off.
inline void NameThread(std::string_view name) {
  ::prctl(PR_SET_NAME, std::string(name.substr(0, 15)).c_str());
}

}  // namespace simpul::base
