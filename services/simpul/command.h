// What the commands share: their flags in common, and how one is chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "simpul/output.h"
#include "simpul/settings.h"
#include "simpul/stop.h"

namespace simpul::cli {

// What main runs after the command line was read: the chosen command, returning the exit status.
struct Chosen {
  std::function<int()> run;
};

// Flags of every command that talks to a running Simpul.
struct Door {
  std::string to = "127.0.0.1:7400";
  bool json = false;
};
void AddDoor(CLI::App& command, Door& door);

// One sentence for a call that failed: what happened, where, and what to do next.
std::string Explain(const absl::Status& status, const std::string& address);

// The exit status of a call that failed: kWrongUse when what was asked for cannot be, else kFailed.
int ExitOf(const absl::Status& status);

// Set by SIGINT and SIGTERM once WatchStop was called; a second signal ends the process at once.
const Stop& Stopping();
void WatchStop();

// Whoever runs the command, as this machine calls them.
std::string UserName();

// Each makes its command, one file a command.
void AddServe(CLI::App& app, Chosen& chosen);
void AddTopics(CLI::App& app, Chosen& chosen);
void AddBackup(CLI::App& app, Chosen& chosen);
void AddSandbox(CLI::App& app, Chosen& chosen);
void AddPush(CLI::App& app, Chosen& chosen);
void AddTimeline(CLI::App& app, Chosen& chosen);
void AddTrace(CLI::App& app, Chosen& chosen);
void AddDeadLetters(CLI::App& app, Chosen& chosen);
void AddResend(CLI::App& app, Chosen& chosen);
void AddPause(CLI::App& app, Chosen& chosen);  // pause and resume
void AddPull(CLI::App& app, Chosen& chosen);
void AddState(CLI::App& app, Chosen& chosen);
void AddGrowth(CLI::App& app, Chosen& chosen);
void AddRules(CLI::App& app, Chosen& chosen);
void AddDirectory(CLI::App& app, Chosen& chosen);
void AddSimulate(CLI::App& app, Chosen& chosen);
void AddSettings(CLI::App& app, const Settings& settings, Chosen& chosen);

}  // namespace simpul::cli
