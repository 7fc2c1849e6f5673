#include "simpul/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace simpul::cli {
namespace {

// A flag that a file or a variable may set: it has a long name and is none of CLI11's own.
bool IsSetting(const CLI::Option& option) {
  const auto& names = option.get_lnames();
  return !names.empty() && names.front() != "help" && names.front() != "version" &&
         names.front() != "config";
}

absl::Status SetDefault(CLI::Option& option, const std::string& value, const std::string& where) {
  try {
    option.run_callback_for_default();
    option.default_val(value);
    option.required(false);
    return absl::OkStatus();
  } catch (const CLI::Error&) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the value is not one that --{} takes; see --help", where,
                    option.get_lnames().front()));
  }
}

CLI::Option* Find(CLI::App& command, const std::string& name) {
  CLI::Option* option = command.get_option_no_throw("--" + name);
  return option != nullptr && IsSetting(*option) ? option : nullptr;
}

}  // namespace

std::string VariableOf(const std::string& flag) {
  std::string name = "SIMPUL_";
  for (const char c : flag) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

void Settings::NameVariables(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    for (CLI::Option* option : command->get_options()) {
      if (!IsSetting(*option)) continue;
      option->description(fmt::format("{} [{}]", option->get_description(),
                                      VariableOf(option->get_lnames().front())));
    }
  }
}

absl::Status Settings::Apply(CLI::App& app, const std::string& file) {
  if (!file.empty()) {
    std::vector<CLI::ConfigItem> items;
    try {
      items = CLI::ConfigTOML().from_file(file);
    } catch (const CLI::Error&) {
      return absl::InvalidArgumentError(fmt::format(
          "--config {}: the file cannot be read; name an INI or TOML file that exists", file));
    }
    for (const CLI::ConfigItem& item : items) {
      if (item.name == "++" || item.name == "--") continue;  // where a section begins and ends
      const std::string key = item.fullname();
      const std::string where = fmt::format("{}: {}", file, key);
      if (item.inputs.size() != 1) {
        return absl::InvalidArgumentError(where + ": one value is expected");
      }
      bool known = false;
      for (CLI::App* command : app.get_subcommands({})) {
        if (!item.parents.empty() &&
            (item.parents.size() != 1 || item.parents.front() != command->get_name())) {
          continue;
        }
        CLI::Option* option = Find(*command, item.name);
        if (option == nullptr) continue;
        known = true;
        // A section says it for one command and beats the top of the file.
        std::string& source = sources_[option];
        if (item.parents.empty() && !source.empty()) continue;
        if (absl::Status set = SetDefault(*option, item.inputs.front(), where); !set.ok()) {
          return set;
        }
        source = "file " + file;
      }
      if (!known) {
        return absl::InvalidArgumentError(where +
                                          ": no command has such a setting; see simpul --help");
      }
    }
  }
  for (CLI::App* command : app.get_subcommands({})) {
    for (CLI::Option* option : command->get_options()) {
      if (!IsSetting(*option)) continue;
      const std::string variable = VariableOf(option->get_lnames().front());
      const char* value = std::getenv(variable.c_str());
      if (value == nullptr || *value == '\0') continue;
      if (absl::Status set = SetDefault(*option, value, variable); !set.ok()) return set;
      sources_[option] = "variable " + variable;
    }
  }
  return absl::OkStatus();
}

std::vector<Settings::Row> Settings::Rows(const CLI::App& command) const {
  std::vector<Row> rows;
  for (const CLI::Option* option : command.get_options()) {
    if (!IsSetting(*option)) continue;
    const auto source = sources_.find(option);
    const bool is_flag = option->get_items_expected_max() == 0;
    const std::string unset = is_flag ? "false" : "";
    rows.push_back({option->get_lnames().front(),
                    option->get_default_str().empty() ? unset : option->get_default_str(),
                    source == sources_.end() ? "default" : source->second});
    if (option->count() > 0) rows.back().source = "flag";
    if (option->count() > 0 && !option->results().empty()) rows.back().value = option->results()[0];
  }
  return rows;
}

}  // namespace simpul::cli
