// Where the commands' settings come from: a flag, else its SIMPUL_ variable, else one file, else
// the default.
//
// The file is INI or TOML: keys are the flags' names without dashes, at its top for every command
// that has the flag, or under [serve], [push], ... for one. A key that no command knows is an
// error: a typing mistake must not pass as a default. Named by --config or SIMPUL_CONFIG.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace simpul::cli {

// What is used where a flag is not given.
class Settings {
 public:
  // Names the variable of every flag of every command in its help. Call once, after all flags are
  // made and before Apply.
  static void NameVariables(CLI::App& app);

  // Puts what the file (empty: none) and the variables say in the place of the flags' defaults.
  // InvalidArgument names the file, the key or the variable, never a value.
  absl::Status Apply(CLI::App& app, const std::string& file);

  // One setting of a command after the command line was read.
  struct Row {
    std::string name, value, source;
  };
  // Of one command, in the order of its help.
  std::vector<Row> Rows(const CLI::App& command) const;

 private:
  std::map<const CLI::Option*, std::string> sources_;
};

// SIMPUL_GIVE_UP for give-up.
std::string VariableOf(const std::string& flag);

}  // namespace simpul::cli
