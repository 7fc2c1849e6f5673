// simpul pause and simpul resume: stops and starts sending to the platform. Intake goes on.
#include <memory>

#include "simpul/client_rpc.h"
#include "simpul/command.h"

namespace simpul::cli {

void AddPause(CLI::App& app, Chosen& chosen) {
  struct Options {
    Door door;
    std::string reason;
  };
  auto pause = std::make_shared<Options>();
  CLI::App* pause_command =
      app.add_subcommand("pause", "Stop sending to the platform; survives a restart");
  AddDoor(*pause_command, pause->door);
  pause_command->add_option("--reason", pause->reason, "Why");
  pause_command->callback([&chosen, pause] {
    chosen.run = [pause] {
      Client client(pause->door.to);
      delivery::v1::PauseRequest request;
      request.set_reason(pause->reason);
      if (const auto called = client.Pause(request, std::chrono::seconds(30)); !called.ok()) {
        Complain("pause: " + Explain(called, pause->door.to));
        return ExitOf(called);
      }
      Print(pause->door.json ? JsonLine().Flag("paused", true).Take()
                             : "Sending is paused; 'simpul resume' starts it again.");
      return kDone;
    };
  });
  auto resume = std::make_shared<Options>();
  CLI::App* resume_command = app.add_subcommand("resume", "Start sending to the platform again");
  AddDoor(*resume_command, resume->door);
  resume_command->callback([&chosen, resume] {
    chosen.run = [resume] {
      Client client(resume->door.to);
      if (const auto called = client.Resume(std::chrono::seconds(30)); !called.ok()) {
        Complain("resume: " + Explain(called, resume->door.to));
        return ExitOf(called);
      }
      Print(resume->door.json ? JsonLine().Flag("paused", false).Take() : "Sending goes on.");
      return kDone;
    };
  });
}

}  // namespace simpul::cli
