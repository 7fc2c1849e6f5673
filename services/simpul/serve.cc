// simpul serve: every role in one process on the embedded log.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forwarder/forwarder.h"
#include "forwarder/forwarder_rpc.h"
#include "ingest/ingest.h"
#include "ingest/ingest_rpc.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"
#include "lib/deliver/directory_file.h"
#include "lib/event/date.h"
#include "lib/eventlog/data_folder.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/rpc/admin.h"
#include "lib/rpc/server.h"
#include "records/records.h"
#include "records/records_rpc.h"
#include "simpul/command.h"
#include "simpul/duration_text.h"
#include "simpul/listen.h"
#include "timeline/timeline_role.h"
#include "timeline/timeline_rpc.h"

namespace simpul::cli {
namespace {

struct Options {
  std::string data;
  std::string grpc = "127.0.0.1:7400";
  std::string admin = "127.0.0.1:7480";
  std::string platform;
  std::string credentials;
  std::string directory;
  std::string earliest_day{fhir::kEarliestDay};
  std::string request_limit = "30s";
  std::string stop_limit = "25s";
  bool insecure = false;
};

// One RocksDB per partition and topic opens many files.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::Status Run(const Options& options) {
  RaiseFileLimit();
  StopSignals signals;
  std::optional<StopLimit> stop_limit;  // ends after everything below has ended
  SIMPUL_ASSIGN_OR_RETURN(eventlog::DataFolder folder, eventlog::DataFolder::Open(options.data));
  // What a killed process left would send people to ports that are others' by now.
  std::error_code ignored;
  std::filesystem::remove(folder.ports(), ignored);

  // Before the stores are opened, which can take a while.
  for (const std::string& address : {options.grpc, options.admin}) {
    SIMPUL_RETURN_IF_ERROR(rpc::CanListen(address));
  }

  base::Metrics metrics;
  eventlog::EmbeddedLog::Options log_options;
  log_options.secret_fingerprint = folder.secret().Fingerprint();
  SIMPUL_ASSIGN_OR_RETURN(
      const std::unique_ptr<eventlog::EmbeddedLog> log,
      eventlog::EmbeddedLog::Open(folder.log(), log_options, base::SystemClock(), metrics));
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<deliver::DirectoryFile> directory,
                          deliver::DirectoryFile::Open(options.directory, &metrics));

  SIMPUL_ASSIGN_OR_RETURN(
      const std::unique_ptr<timeline_role::TimelineRole> timeline,
      timeline_role::TimelineRole::Open(*log, folder.secret(), folder.timeline(), metrics));
  forwarder::Forwarder::Options forwarding;
  forwarding.folder = folder.forwarder();
  forwarding.platform_url = options.platform;
  forwarding.credentials_file = options.credentials;
  forwarding.directory_file = options.directory;
  forwarding.earliest_day = options.earliest_day;
  forwarding.retry.request_limit = *ParseDuration(options.request_limit);
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<forwarder::Forwarder> forwarder,
                          forwarder::Forwarder::Open(*log, folder.secret(), std::move(forwarding),
                                                     base::SystemClock(), metrics));
  ingest::Ingest ingest(*log, folder.secret(), base::SystemClock(), metrics);
  records::Records records(*log, folder.secret(), *directory, metrics);

  std::atomic<bool> draining{false};
  std::vector<rpc::ReadyCheck> checks = {
      {"serve",
       [&draining] {
         return draining ? absl::UnavailableError("shutting down") : absl::OkStatus();
       }},
      {"log", [&log] { return log->Health(); }},
      {"timeline", [&timeline] { return timeline->Ready(); }},
      {"forwarder", [&forwarder] { return forwarder->Ready(); }},
      // Work goes on with what was read last.
      {"directory", [&directory] { return directory->Health(); }, true},
      {"credentials", [&forwarder] { return forwarder->CredentialsHealth(); }, true},
  };
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<rpc::HttpServer> admin,
                          rpc::StartAdmin(options.admin, metrics, std::move(checks)));
  SIMPUL_ASSIGN_OR_RETURN(
      const std::unique_ptr<rpc::Server> server,
      rpc::Server::Start(
          options.grpc,
          {ingest::BindIngest(ingest, metrics), timeline_role::BindTimeline(*timeline, metrics),
           forwarder::BindForwarder(*forwarder, metrics), records::BindRecords(records, metrics)},
          &metrics));

  const std::string ports =
      JsonLine().Text("grpc", server->address()).Text("admin", admin->address()).Take();
  SIMPUL_RETURN_IF_ERROR(base::WriteFileAtomically(folder.ports(), ports + "\n"));
  Print(fmt::format("Simpul serves gRPC on {} and http://{}/readyz. Ctrl-C ends it.",
                    server->address(), admin->address()));
  if (options.directory.empty()) {
    Print("No --directory is given: no facility and no practitioner is known at the platform.");
  }
  if (options.platform.empty()) {
    Print("No --platform is given: records wait until there is one.");
  } else if (options.credentials.empty()) {
    Print("No --credentials are given: records are held until there are some.");
  }
  std::fflush(stdout);
  base::Log(base::Severity::kInfo, "serve", "serving",
            {{"grpc", server->address()}, {"admin", admin->address()}});

  signals.Wait();
  base::Log(base::Severity::kInfo, "serve", "shutting down");
  const std::chrono::milliseconds stop_within = *ParseDuration(options.stop_limit);
  stop_limit.emplace(stop_within);
  draining = true;
  std::filesystem::remove(folder.ports(), ignored);
  timeline->EndWaits();
  server->Drain(stop_within / 2);
  return absl::OkStatus();  // the roles end in the opposite order of their beginning
}

int Serve(const Options& options) {
  for (const auto& [flag, address] :
       {std::pair("--grpc", options.grpc), {"--admin", options.admin}}) {
    if (const absl::Status may = MayListen(flag, address, options.insecure); !may.ok()) {
      Complain(fmt::format("serve: {}", base::Message(may)));
      return kWrongUse;
    }
  }
  if (!event::ParseDay(options.earliest_day)) {
    Complain("serve: --earliest-day: write a day as YYYY-MM-DD");
    return kWrongUse;
  }
  for (const auto& [flag, text] : {std::pair("--request-limit", options.request_limit),
                                   {"--stop-limit", options.stop_limit}}) {
    if (!ParseDuration(text)) {
      Complain(fmt::format("serve: {}: write a duration such as 30s or 500ms", flag));
      return kWrongUse;
    }
  }
  if (const absl::Status ran = Run(options); !ran.ok()) {
    Complain(fmt::format("serve: {}", base::Message(ran)));
    return kFailed;
  }
  return kDone;
}

}  // namespace

void AddServe(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("serve", "Run Simpul: every role in one process");
  command->add_option("--data", options->data, "Folder that everything is kept in")->required();
  command
      ->add_option("--grpc", options->grpc, "Where clinics' programs call, HOST:PORT; port 0: any")
      ->capture_default_str();
  command
      ->add_option("--admin", options->admin,
                   "Where /livez, /readyz and /metrics answer, HOST:PORT; port 0: any")
      ->capture_default_str();
  command
      ->add_option("--platform", options->platform,
                   "URL of the national platform; without it records wait")
      ->check([](const std::string& url) {
        for (const std::string_view scheme : {"http://", "https://"}) {
          if (url.starts_with(scheme) && url.size() > scheme.size()) return std::string();
        }
        return std::string("give a URL such as https://HOST/PATH or http://127.0.0.1:7490");
      });
  command->add_option("--credentials", options->credentials,
                      "File with a credential for each organisation at the platform");
  command->add_option("--directory", options->directory,
                      "File with facilities, units and practitioners; read again when it changes");
  command
      ->add_option("--earliest-day", options->earliest_day,
                   "What happened before is kept and not sent, YYYY-MM-DD")
      ->capture_default_str();
  command
      ->add_option("--request-limit", options->request_limit,
                   "How long one request to the platform may take")
      ->capture_default_str();
  command
      ->add_option("--stop-limit", options->stop_limit,
                   "How long a stop may take; calls in hand have half of it")
      ->capture_default_str();
  command->add_flag("--insecure", options->insecure,
                    "Listen in plain text on addresses that other machines reach");
  command->callback([&chosen, options] { chosen.run = [options] { return Serve(*options); }; });
}

}  // namespace simpul::cli
