// simpul settings: what a command would use, and where each setting comes from.
#include <fmt/format.h>

#include <memory>

#include "simpul/command.h"

namespace simpul::cli {

void AddSettings(CLI::App& app, const Settings& settings, Chosen& chosen) {
  struct Options {
    std::string command = "serve";
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("settings", "Show what a command would use and where it comes from");
  command->add_option("command", options->command, "The command")->capture_default_str();
  command->add_flag("--json", options->json, "Answer in JSON, one object a line");
  command->callback([&app, &settings, &chosen, options] {
    chosen.run = [&app, &settings, options] {
      const CLI::App* asked = nullptr;
      for (const CLI::App* one : app.get_subcommands({})) {
        if (one->get_name() == options->command) asked = one;
      }
      if (asked == nullptr) {
        Complain(fmt::format("settings: there is no command of that name. See: simpul --help"));
        return kWrongUse;
      }
      Table table({"SETTING", "VALUE", "FROM"});
      for (const Settings::Row& row : settings.Rows(*asked)) {
        if (options->json) {
          Print(JsonLine()
                    .Text("command", options->command)
                    .Text("setting", row.name)
                    .Text("value", row.value)
                    .Text("source", row.source)
                    .Take());
        } else {
          table.Row({row.name, row.value, row.source});
        }
      }
      if (!options->json) Print(table.Text());
      return kDone;
    };
  });
}

}  // namespace simpul::cli
