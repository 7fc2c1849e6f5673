// simpul directory: the files of places and people as they would be read, or every wrong line.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "lib/area/directory_files.h"
#include "lib/base/status_macros.h"
#include "simpul/command.h"

namespace simpul::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  bool json = false;
};

void Refuse(const area::Reading& reading, bool json) {
  for (const area::WrongLine& wrong : reading.wrong) {
    if (json) {
      Print(JsonLine()
                .Text("outcome", "refused")
                .Text("file", wrong.file)
                .Count("line", wrong.line)
                .Text("message", wrong.what)
                .Take());
    } else {
      Print(wrong.Text());
    }
  }
  Complain(fmt::format("directory: {} wrong line{}{}; nothing of these files can be used",
                       Grouped(reading.wrong_count), reading.wrong_count == 1 ? "" : "s",
                       reading.wrong.size() < reading.wrong_count
                           ? fmt::format(", the first {} are named", Grouped(reading.wrong.size()))
                           : ""));
}

std::string RegionWord(std::string_view system, area::Level level) {
  return fmt::format("{} {}", system, area::Word(level));
}

void Show(const area::Directory& directory, bool json) {
  const area::Counts counts = directory.Count();
  Table table({"WHAT", "COUNT"});
  const auto row = [&](std::string_view what, std::string_view of, uint64_t count) {
    if (json) {
      JsonLine line;
      line.Text("what", what);
      if (!of.empty()) line.Text("of", of);
      Print(line.Count("count", count).Take());
    } else {
      table.Row({of.empty() ? std::string(what) : fmt::format("{} {}", what, of), Grouped(count)});
    }
  };
  row("facility", "", counts.facilities);
  row("unit", "", counts.units);
  row("serves", "", counts.services);
  row("roster", "", counts.posts);
  row("target", "", counts.targets);
  // Each by name: a mistyped indicator is a target that no board finds.
  for (const auto& [indicator, count] : counts.targets_by_indicator) {
    row("target", indicator, count);
  }
  row("competency", "", counts.competencies);
  row("skill_needed", "", counts.needed_skills);
  for (const auto& [system, levels] : counts.regions) {
    for (size_t level = 0; level < levels.size(); ++level) {
      row("region", RegionWord(system, static_cast<area::Level>(level)), levels[level]);
    }
  }
  if (json) {
    Print(JsonLine().Text("what", "digest").Text("digest", directory.digest()).Take());
  } else {
    Print(table.Text());
    Print(fmt::format("digest {}", directory.digest()));
  }
}

int CheckDirectory(const Options& options) {
  const absl::StatusOr<area::Reading> reading =
      area::ReadFiles({options.files.begin(), options.files.end()});
  if (!reading.ok()) {
    Complain(fmt::format("directory: {}", base::Message(reading.status())));
    return kWrongUse;
  }
  if (reading->wrong_count > 0) {
    Refuse(*reading, options.json);
    return kFailed;
  }
  Show(reading->directory, options.json);
  return kDone;
}

}  // namespace

void AddDirectory(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "directory",
      "Read the files of places and people (docs/directory.md): what is in them, or every wrong "
      "line");
  command->add_option("FILE", options->files, "Files, read as one directory")->required();
  command->add_flag("--json", options->json, "Answer in JSON, one object a line");
  command->callback(
      [&chosen, options] { chosen.run = [options] { return CheckDirectory(*options); }; });
}

}  // namespace simpul::cli
