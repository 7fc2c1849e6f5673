#include "lib/area/directory_files.h"

#include <fmt/format.h>

#include <system_error>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"

namespace simpul::area {
namespace {

using Paths = std::vector<std::filesystem::path>;

absl::Status CheckSize(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return absl::OkStatus();  // reading it says so
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(
        fmt::format("{} is no file; name a file with one row a line", path.string()));
  }
  if (std::filesystem::file_size(path, error) > kFileBytesMax && !error) {
    return absl::InvalidArgumentError(
        fmt::format("{} is larger than 64 MiB; split it into several files", path.string()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ReadTexts(const Paths& paths) {
  std::vector<std::string> texts;
  for (const std::filesystem::path& path : paths) {
    SIMPUL_RETURN_IF_ERROR(CheckSize(path));
    SIMPUL_ASSIGN_OR_RETURN(std::string text, base::ReadFile(path));
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<SourceText> Sources(const Paths& paths, const std::vector<std::string>& texts) {
  std::vector<SourceText> sources;
  for (size_t i = 0; i < paths.size(); ++i) sources.push_back({paths[i].string(), texts[i]});
  return sources;
}

absl::StatusOr<Directory> ReadDirectory(const Paths& paths) {
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<std::string> texts, ReadTexts(paths));
  return Parse(Sources(paths, texts));
}

}  // namespace

absl::StatusOr<Reading> ReadFiles(const Paths& paths) {
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<std::string> texts, ReadTexts(paths));
  return ReadLines(Sources(paths, texts));
}

absl::StatusOr<std::unique_ptr<DirectoryFiles>> DirectoryFiles::Open(Paths paths,
                                                                     base::Metrics* metrics) {
  SIMPUL_ASSIGN_OR_RETURN(auto files,
                          base::WatchedFiles<Directory>::Open(std::move(paths), "area_directory",
                                                              &ReadDirectory, metrics));
  return std::unique_ptr<DirectoryFiles>(new DirectoryFiles(std::move(files)));
}

}  // namespace simpul::area
