// What a crash at this moment would leave of a RocksDB that is written without a log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>

namespace simpul::testing {

// Copies the folder of an open database. What names files is copied before they are. A table is
// removed only after the manifest has stopped naming it: one that has grown meanwhile makes the
// copy begin again.
inline void CopyCrashImage(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  const auto named = [&from] {
    std::map<fs::path, uintmax_t> sizes;
    for (const auto& file : fs::directory_iterator(from)) {
      std::error_code gone;
      if (file.path().filename().string().starts_with("MANIFEST")) {
        sizes[file.path()] = fs::file_size(file.path(), gone);
      }
    }
    return sizes;
  };
  bool whole = false;
  while (!whole) {
    fs::remove_all(to);
    fs::create_directories(to);
    std::error_code error;
    const auto before = named();
    for (const bool tables : {false, true}) {
      for (const auto& file : fs::directory_iterator(from)) {
        if (file.path().filename() == "LOCK") continue;
        if ((file.path().extension() == ".sst") != tables) continue;
        if (!error) fs::copy_file(file.path(), to / file.path().filename(), error);
      }
    }
    whole = !error && named() == before;
  }
}

}  // namespace simpul::testing
