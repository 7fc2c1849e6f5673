// Files of the project that tests compare the code with.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "lib/base/file.h"

namespace simpul::testing {

// The text of a file, by its path in the project. Fails the test, and is empty, when there is none.
inline std::string SourceFile(std::string_view path) {
  const char* root = std::getenv("SIMPUL_SOURCE_DIR");
  if (root == nullptr) {
    ADD_FAILURE() << "SIMPUL_SOURCE_DIR must name the source folder; ctest sets it";
    return "";
  }
  const auto text = base::ReadFile(std::filesystem::path(root) / path);
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  return text.ok() ? *text : "";
}

}  // namespace simpul::testing
