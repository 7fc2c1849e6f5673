// simpul: every role and every tool in one program.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/base/status_macros.h"
#include "simpul/command.h"
#include "simpul/settings.h"

// Read by jemalloc before main: what is freed goes back to the system within a second or two, on a
// thread of its own. docs/decisions/0004-who-gives-memory.md
extern "C" const char* malloc_conf;
const char* malloc_conf = "narenas:4,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";

namespace simpul::cli {
namespace {

// The file must be known before the command line is read, since it gives the flags' defaults.
std::string ConfigFile(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if (word == "--config" && i + 1 < argc) return argv[i + 1];
    if (word.substr(0, 9) == "--config=") return std::string(word.substr(9));
  }
  const char* variable = std::getenv("SIMPUL_CONFIG");
  return variable == nullptr ? "" : variable;
}

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  CLI::App app{
      "Simpul takes what clinics record, keeps one timeline per patient, and forwards FHIR records "
      "to the\nnational platform.",
      "simpul"};
  app.set_version_flag("--version", "simpul " SIMPUL_VERSION);
  std::string config;
  app.add_option("--config", config, "File with settings, INI or TOML [SIMPUL_CONFIG]");
  app.require_subcommand(1);
  app.fallthrough();
  Chosen chosen;
  Settings settings;
  AddServe(app, chosen);
  AddTopics(app, chosen);
  AddBackup(app, chosen);
  AddSandbox(app, chosen);
  AddPush(app, chosen);
  AddTimeline(app, chosen);
  AddTrace(app, chosen);
  AddDeadLetters(app, chosen);
  AddResend(app, chosen);
  AddPause(app, chosen);
  AddPull(app, chosen);
  AddState(app, chosen);
  AddGrowth(app, chosen);
  AddRules(app, chosen);
  AddDirectory(app, chosen);
  AddSimulate(app, chosen);
  AddSettings(app, settings, chosen);
  Settings::NameVariables(app);
  if (const absl::Status applied = settings.Apply(app, ConfigFile(argc, argv)); !applied.ok()) {
    Complain(base::Message(applied));
    return kWrongUse;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    app.exit(success);
    return kDone;
  } catch (const CLI::ParseError& error) {
    const auto commands = app.get_subcommands();
    const std::string name = commands.empty() ? "" : " " + commands.front()->get_name();
    if (commands.empty() && argc > 1 && argv[1][0] != '-') {
      Complain(fmt::format("there is no command '{}'. See: simpul --help", argv[1]));
    } else {
      Complain(fmt::format("{}. See: simpul{} --help", error.what(), name));
    }
    return kWrongUse;
  }
  const int status = chosen.run();
  if (std::fflush(stdout) != 0 && status == kDone) return kFailed;
  return status;
}

}  // namespace
}  // namespace simpul::cli

int main(int argc, char** argv) { return simpul::cli::Main(argc, argv); }
