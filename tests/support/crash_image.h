// What a crash at this moment would leave of a RocksDB that is written without a log.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace simpul::testing {

// Copies the folder of an open database. What names files is copied before they are; a file that
// was merged into another meanwhile makes it begin again.
inline void CopyCrashImage(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  bool whole = false;
  while (!whole) {
    fs::remove_all(to);
    fs::create_directories(to);
    std::error_code error;
    for (const bool tables : {false, true}) {
      for (const auto& file : fs::directory_iterator(from)) {
        if (file.path().filename() == "LOCK") continue;
        if ((file.path().extension() == ".sst") != tables) continue;
        if (!error) fs::copy_file(file.path(), to / file.path().filename(), error);
      }
    }
    whole = !error;
  }
}

}  // namespace simpul::testing
