// simpul sandbox: a stand-in for the national platform.
#include "sandbox/sandbox.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "simpul/command.h"
#include "simpul/listen.h"

namespace simpul::cli {
namespace {

struct Options {
  std::string data;
  std::string http = "127.0.0.1:7490";
  std::string credentials;
  std::string population;
  bool no_duplicate_check = false;
  bool sync = false;
  bool insecure = false;
};

absl::Status Run(const Options& options) {
  StopSignals signals;
  sandbox::Sandbox::Options settings;
  settings.data = options.data;
  settings.http = options.http;
  settings.credentials = options.credentials;
  settings.population = options.population;
  settings.duplicate_check = !options.no_duplicate_check;
  settings.sync_every_commit = options.sync;
  const std::filesystem::path ports = std::filesystem::path(options.data) / "ports.json";
  std::error_code ignored;
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<sandbox::Sandbox> sandbox,
                          sandbox::Sandbox::Start(settings));
  SIMPUL_RETURN_IF_ERROR(
      base::WriteFileAtomically(ports, JsonLine().Text("http", sandbox->address()).Take() + "\n"));
  Print(fmt::format(
      "The sandbox stands in for the platform at http://{} (/oauth2/v1, /fhir-r4/v1). Ctrl-C ends "
      "it.",
      sandbox->address()));
  std::fflush(stdout);
  signals.Wait();
  std::filesystem::remove(ports, ignored);
  return absl::OkStatus();
}

int Serve(const Options& options) {
  if (const absl::Status may = MayListen("--http", options.http, options.insecure); !may.ok()) {
    Complain(fmt::format("sandbox: {}", base::Message(may)));
    return kWrongUse;
  }
  if (const absl::Status ran = Run(options); !ran.ok()) {
    Complain(fmt::format("sandbox: {}", base::Message(ran)));
    return kFailed;
  }
  return kDone;
}

}  // namespace

void AddSandbox(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("sandbox", "Run a stand-in for the national platform");
  command->add_option("--data", options->data, "Folder that what was sent is kept in")->required();
  command->add_option("--http", options->http, "Where it answers, HOST:PORT; port 0: any")
      ->capture_default_str();
  command->add_option("--credentials", options->credentials,
                      "File with a credential for each organisation; without it any will do");
  command->add_option("--population", options->population,
                      "File with the people it knows; without it it knows every well-formed NIK");
  command->add_flag("--no-duplicate-check", options->no_duplicate_check,
                    "Take the same resource as often as it is sent");
  command->add_flag("--sync", options->sync, "Answer only when the disk has what was sent");
  command->add_flag("--insecure", options->insecure,
                    "Listen in plain text on addresses that other machines reach");
  command->callback([&chosen, options] { chosen.run = [options] { return Serve(*options); }; });
}

}  // namespace simpul::cli
