// Passing errors up in one line.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace simpul::base {

// The words of a status. (Debian's absl::string_view is a type of its own.)
inline std::string_view Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// The same status with `where` before its words.
inline absl::Status Within(std::string_view where, const absl::Status& status) {
  return absl::Status(status.code(), std::string(where) + ": " + std::string(Message(status)));
}

}  // namespace simpul::base

// Returns from the enclosing function when `expr` is not OK.
#define SIMPUL_RETURN_IF_ERROR(expr)                                \
  do {                                                              \
    if (absl::Status simpul_status = (expr); !simpul_status.ok()) { \
      return simpul_status;                                         \
    }                                                               \
  } while (false)

#define SIMPUL_CONCAT_INNER(a, b) a##b
#define SIMPUL_CONCAT(a, b) SIMPUL_CONCAT_INNER(a, b)

// SIMPUL_ASSIGN_OR_RETURN(auto x, F()): x is F()'s value, or the enclosing function returns its
// error.
#define SIMPUL_ASSIGN_OR_RETURN(lhs, expr) \
  SIMPUL_ASSIGN_OR_RETURN_IMPL(SIMPUL_CONCAT(simpul_statusor_, __LINE__), lhs, expr)
#define SIMPUL_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) {                                   \
    return std::move(tmp).status();                  \
  }                                                  \
  lhs = *std::move(tmp)
