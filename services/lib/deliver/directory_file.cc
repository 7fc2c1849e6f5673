#include "lib/deliver/directory_file.h"

#include <string>
#include <utility>
#include <vector>

#include "lib/base/file.h"

namespace simpul::deliver {
namespace {

absl::StatusOr<fhir::Directory> ReadDirectory(const std::vector<std::filesystem::path>& paths) {
  const std::filesystem::path& path = paths.front();
  SIMPUL_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
  absl::StatusOr<fhir::Directory> directory = fhir::Directory::Parse(text);
  if (!directory.ok()) return base::Within(path.string(), directory.status());
  return directory;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryFile>> DirectoryFile::Open(std::filesystem::path path,
                                                                   base::Metrics* metrics) {
  SIMPUL_ASSIGN_OR_RETURN(auto file, base::WatchedFiles<fhir::Directory>::Open(
                                         {std::move(path)}, "directory", &ReadDirectory, metrics));
  return std::unique_ptr<DirectoryFile>(new DirectoryFile(std::move(file)));
}

}  // namespace simpul::deliver
