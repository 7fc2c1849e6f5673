// simpul serve: every role in one process on the embedded log, or the roles named on Kafka.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forwarder/forwarder.h"
#include "forwarder/forwarder_rpc.h"
#include "ingest/ingest.h"
#include "ingest/ingest_rpc.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/rocksdb_merges.h"
#include "lib/base/status_macros.h"
#include "lib/deliver/directory_file.h"
#include "lib/event/date.h"
#include "lib/eventlog/data_folder.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/eventlog/kafka_log.h"
#include "lib/rpc/admin.h"
#include "lib/rpc/server.h"
#include "records/records.h"
#include "records/records_rpc.h"
#include "simpul/checkpoint.h"
#include "simpul/command.h"
#include "simpul/duration_text.h"
#include "simpul/kafka_flags.h"
#include "simpul/listen.h"
#include "simpul/replica_flags.h"
#include "timeline/front.h"
#include "timeline/peer_rpc.h"
#include "timeline/timeline_role.h"
#include "timeline/timeline_rpc.h"

namespace simpul::cli {
namespace {

constexpr std::string_view kEmbedded = "embedded";
constexpr std::string_view kKafka = "kafka";

// In the order of their default ports.
constexpr std::array<std::string_view, 4> kRoles = {"ingest", "timeline", "forwarder", "records"};
constexpr std::string_view kGrpcUsual = "127.0.0.1:7400";
constexpr std::string_view kAdminUsual = "127.0.0.1:7480";

struct Options {
  std::vector<std::string> roles;  // empty: all
  std::string data;
  std::string log{kEmbedded};
  KafkaFlags kafka;
  bool accept_single_copy = false;
  ReplicaFlags replicas;
  eventlog::Replica replica;  // of those
  std::string grpc{kGrpcUsual};
  std::string admin{kAdminUsual};
  std::string platform;
  std::string credentials;
  std::string directory;
  std::string earliest_day{fhir::kEarliestDay};
  std::string request_limit = "30s";
  std::string stop_limit = "25s";
  std::string checkpoints;
  std::string checkpoint_every = "15m";
  bool insecure = false;

  bool Has(std::string_view role) const {
    return roles.empty() || std::ranges::find(roles, role) != roles.end();
  }
};

// One RocksDB per partition and topic opens many files.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

absl::StatusOr<eventlog::DataFolder> OpenFolder(const Options& options) {
  if (options.log == kEmbedded) return eventlog::DataFolder::Open(options.data);
  auto folder = eventlog::DataFolder::OpenWithoutLog(options.data, options.kafka.secret);
  if (absl::IsNotFound(folder.status())) {
    return absl::NotFoundError(
        fmt::format("{}. It is made with the topics: simpul topics --create --secret {}",
                    base::Message(folder.status()), options.kafka.secret));
  }
  return folder;
}

absl::StatusOr<std::unique_ptr<eventlog::EventLog>> OpenLog(const Options& options,
                                                            const eventlog::DataFolder& folder,
                                                            base::Metrics& metrics) {
  if (options.log == kEmbedded) {
    eventlog::EmbeddedLog::Options embedded;
    embedded.secret_fingerprint = folder.secret().Fingerprint();
    return eventlog::EmbeddedLog::Open(folder.log(), embedded, base::SystemClock(), metrics);
  }
  eventlog::KafkaLog::Options kafka;
  kafka.secret_fingerprint = folder.secret().Fingerprint();
  kafka.accept_single_copy = options.accept_single_copy;
  const std::string client =
      options.roles.size() == 1 ? fmt::format("simpul-{}", options.roles.front()) : "simpul";
  return eventlog::KafkaLog::Open(SettingsOf(options.kafka, client), kafka, metrics);
}

absl::StatusOr<std::unique_ptr<forwarder::Forwarder>> OpenForwarder(
    const Options& options, const eventlog::DataFolder& folder, eventlog::EventLog& log,
    base::Metrics& metrics) {
  forwarder::Forwarder::Options forwarding;
  forwarding.folder = folder.forwarder();
  forwarding.platform_url = options.platform;
  forwarding.credentials_file = options.credentials;
  forwarding.directory_file = options.directory;
  forwarding.earliest_day = options.earliest_day;
  forwarding.retry.request_limit = *ParseDuration(options.request_limit);
  forwarding.replica = options.replica;
  return forwarder::Forwarder::Open(log, folder.secret(), std::move(forwarding),
                                    base::SystemClock(), metrics);
}

// The timeline's replicas by number, this one left out.
absl::StatusOr<std::vector<std::unique_ptr<timeline_role::Peer>>> OpenPeers(
    const Options& options) {
  std::vector<std::unique_ptr<timeline_role::Peer>> peers;
  if (options.replica.count == 1) return peers;
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<std::string> addresses, PeersOf(options.replicas));
  for (uint32_t number = 0; number < addresses.size(); ++number) {
    peers.push_back(number == options.replica.number ? nullptr
                                                     : timeline_role::PeerAt(addresses[number]));
  }
  return peers;
}

absl::Status Run(const Options& options) {
  RaiseFileLimit();
  StopSignals signals;
  std::optional<StopLimit> stop_limit;  // ends after everything below has ended
  SIMPUL_ASSIGN_OR_RETURN(eventlog::DataFolder folder, OpenFolder(options));
  // What a killed process left would send people to ports that are others' by now.
  std::error_code ignored;
  std::filesystem::remove(folder.ports(), ignored);

  // Before the stores are opened, which can take a while.
  for (const std::string& address : {options.grpc, options.admin}) {
    SIMPUL_RETURN_IF_ERROR(rpc::CanListen(address));
  }

  base::Metrics metrics;
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<eventlog::EventLog> log,
                          OpenLog(options, folder, metrics));
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<deliver::DirectoryFile> directory,
                          deliver::DirectoryFile::Open(options.directory, &metrics));

  std::atomic<bool> draining{false};
  std::vector<rpc::ReadyCheck> checks = {
      {"serve",
       [&draining] {
         return draining ? absl::UnavailableError("shutting down") : absl::OkStatus();
       }},
      {"log", [&log] { return log->Health(); }},
      // Work goes on with what was read last.
      {"directory", [&directory] { return directory->Health(); }, true},
  };
  std::vector<rpc::ServicePtr> services;

  std::unique_ptr<timeline_role::TimelineRole> timeline;
  std::optional<timeline_role::Front> front;
  if (options.Has("timeline")) {
    SIMPUL_ASSIGN_OR_RETURN(auto peers, OpenPeers(options));
    SIMPUL_ASSIGN_OR_RETURN(
        timeline,
        timeline_role::TimelineRole::Open(
            *log, folder.secret(), folder.timeline(), metrics, options.replica,
            {.folder = options.checkpoints, .every = *ParseDuration(options.checkpoint_every)},
            SIMPUL_VERSION));
    front.emplace(*timeline, folder.secret(), options.replica, std::move(peers));
    checks.push_back({"timeline", [&timeline] { return timeline->Ready(); }});
    services.push_back(timeline_role::BindTimeline(*front, metrics));
  }
  std::unique_ptr<forwarder::Forwarder> forwarder;
  if (options.Has("forwarder")) {
    SIMPUL_ASSIGN_OR_RETURN(forwarder, OpenForwarder(options, folder, *log, metrics));
    checks.push_back({"forwarder", [&forwarder] { return forwarder->Ready(); }});
    checks.push_back(
        {"credentials", [&forwarder] { return forwarder->CredentialsHealth(); }, true});
    services.push_back(forwarder::BindForwarder(*forwarder, metrics));
  }
  std::optional<ingest::Ingest> ingest;
  if (options.Has("ingest")) {
    ingest.emplace(*log, folder.secret(), base::SystemClock(), metrics);
    services.push_back(ingest::BindIngest(*ingest, metrics));
  }
  std::optional<records::Records> records;
  if (options.Has("records")) {
    records.emplace(*log, folder.secret(), *directory, metrics);
    services.push_back(records::BindRecords(*records, metrics));
  }

  std::vector<rpc::AdminAction> actions;
  if (auto* embedded = dynamic_cast<eventlog::EmbeddedLog*>(log.get()); embedded != nullptr) {
    actions.push_back({std::string(kCheckpointPath), [embedded, &folder] {
                         return MakeCheckpoint(*embedded, folder.checkpoint());
                       }});
  }
  SIMPUL_ASSIGN_OR_RETURN(
      const std::unique_ptr<rpc::HttpServer> admin,
      rpc::StartAdmin(options.admin, metrics, std::move(checks), std::move(actions)));
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<rpc::Server> server,
                          rpc::Server::Start(options.grpc, std::move(services), &metrics));

  const std::string ports =
      JsonLine().Text("grpc", server->address()).Text("admin", admin->address()).Take();
  SIMPUL_RETURN_IF_ERROR(base::WriteFileAtomically(folder.ports(), ports + "\n"));
  Print(fmt::format("Simpul serves gRPC on {} and http://{}/readyz. Ctrl-C ends it.",
                    server->address(), admin->address()));
  const bool maps = options.Has("forwarder") || options.Has("records");
  if (maps && options.directory.empty()) {
    Print("No --directory is given: no facility and no practitioner is known at the platform.");
  }
  if (!options.Has("forwarder")) {
    // Nothing is sent from here.
  } else if (options.platform.empty()) {
    Print("No --platform is given: records wait until there is one.");
  } else if (options.credentials.empty()) {
    Print("No --credentials are given: records are held until there are some.");
  }
  std::fflush(stdout);
  base::Log(base::Severity::kInfo, "serve", "serving",
            {{"grpc", server->address()}, {"admin", admin->address()}});

  // While a log is caught up with, its merges are what the rest waits for.
  const auto has_caught_up = [&] {
    return (timeline == nullptr || timeline->Ready().ok()) &&
           (forwarder == nullptr || forwarder->Ready().ok());
  };
  bool stopped = false;
  while (!stopped && !has_caught_up()) stopped = signals.WaitFor(std::chrono::seconds(1));
  if (!stopped) {
    base::LetMergesWait();
    signals.Wait();
  }
  base::Log(base::Severity::kInfo, "serve", "shutting down");
  const std::chrono::milliseconds stop_within = *ParseDuration(options.stop_limit);
  stop_limit.emplace(stop_within);
  draining = true;
  std::filesystem::remove(folder.ports(), ignored);
  if (front.has_value()) front->EndWaits();
  server->Drain(stop_within / 2);
  return absl::OkStatus();  // the roles end in the opposite order of their beginning
}

// OK, or why the flags do not go together.
absl::Status CheckLog(const Options& options) {
  if (options.log == kKafka) return CheckKafkaFlags(options.kafka);
  if (!options.roles.empty()) {
    return absl::InvalidArgumentError(
        "roles run apart on Kafka (--log kafka); on the embedded log all run in one process");
  }
  if (!options.kafka.bootstrap.empty()) {
    return absl::InvalidArgumentError("--kafka: say --log kafka too");
  }
  return absl::OkStatus();
}

// Sets which replica this is. InvalidArgument: the flags do not go together.
absl::Status ReadReplica(Options& options) {
  SIMPUL_ASSIGN_OR_RETURN(options.replica, ReplicaOf(options.replicas, HostName()));
  if (options.replica.count == 1) return absl::OkStatus();
  if (options.log != kKafka) {
    return absl::InvalidArgumentError(
        "--replicas: on the embedded log there is one process; say --log kafka");
  }
  if (options.Has("timeline")) {
    SIMPUL_RETURN_IF_ERROR(PeersOf(options.replicas).status());
  } else if (!options.Has("forwarder")) {
    return absl::InvalidArgumentError(
        "--replicas: ingest and records keep nothing; start as many as you like without it");
  }
  return absl::OkStatus();
}

// OK, or why checkpoints cannot be where they are to be.
absl::Status CheckCheckpoints(const Options& options) {
  if (options.checkpoints.empty()) return absl::OkStatus();
  if (!options.Has("timeline")) {
    return absl::InvalidArgumentError("--checkpoints: timeline alone makes and restores them");
  }
  std::error_code error;
  const auto whole = [&error](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  const std::filesystem::path within =
      whole(options.checkpoints).lexically_relative(whole(options.data));
  if (!within.empty() && *within.begin() != "..") {
    return absl::InvalidArgumentError(
        "--checkpoints: give a folder outside of --data, best on another disk");
  }
  return absl::OkStatus();
}

int Serve(Options options) {
  absl::Status goes_together = CheckLog(options);
  if (goes_together.ok()) goes_together = ReadReplica(options);
  if (goes_together.ok()) goes_together = CheckCheckpoints(options);
  if (!goes_together.ok()) {
    Complain(fmt::format("serve: {}", base::Message(goes_together)));
    return kWrongUse;
  }
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
                                   {"--stop-limit", options.stop_limit},
                                   {"--checkpoint-every", options.checkpoint_every}}) {
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
  CLI::App* command =
      app.add_subcommand("serve", "Run Simpul: every role in one process, or the roles named");
  command
      ->add_option("ROLE", options->roles,
                   "ingest, timeline, forwarder, records, with --log kafka; none: all of them")
      ->check(CLI::IsMember(std::vector<std::string>(kRoles.begin(), kRoles.end())));
  command->add_option("--data", options->data, "Folder that everything is kept in")->required();
  command
      ->add_option("--log", options->log,
                   "embedded: in --data, nothing else to run; kafka: on the brokers of --kafka")
      ->check(CLI::IsMember({std::string(kEmbedded), std::string(kKafka)}))
      ->capture_default_str();
  AddKafkaFlags(*command, options->kafka);
  command->add_flag("--accept-single-copy", options->accept_single_copy,
                    "Start although one broker's memory may hold the only copy of what is "
                    "acknowledged");
  AddReplicaFlags(*command, options->replicas);
  const auto* grpc = command
                         ->add_option("--grpc", options->grpc,
                                      "Where it answers gRPC, HOST:PORT; port 0: any; of a role "
                                      "alone 7401 to 7404, in their order")
                         ->capture_default_str();
  const auto* admin = command
                          ->add_option("--admin", options->admin,
                                       "Where /livez, /readyz and /metrics answer, HOST:PORT; port "
                                       "0: any; of a role alone 7481 to 7484")
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
  command->add_option("--checkpoints", options->checkpoints,
                      "Folder, outside of --data, that timelines are copied to now and then, and "
                      "come back from when their own folder is gone; replicas may share it");
  command
      ->add_option("--checkpoint-every", options->checkpoint_every,
                   "How long after one round of copies the next begins")
      ->capture_default_str();
  command->add_flag("--insecure", options->insecure,
                    "Listen in plain text on addresses that other machines reach");
  command->callback([&chosen, options, grpc, admin] {
    if (options->roles.size() == 1) {
      const auto nth = std::ranges::find(kRoles, options->roles.front()) - kRoles.begin() + 1;
      if (grpc->count() == 0 && options->grpc == kGrpcUsual) {
        options->grpc = fmt::format("127.0.0.1:{}", 7400 + nth);
      }
      if (admin->count() == 0 && options->admin == kAdminUsual) {
        options->admin = fmt::format("127.0.0.1:{}", 7480 + nth);
      }
    }
    chosen.run = [options] { return Serve(*options); };
  });
}

}  // namespace simpul::cli
