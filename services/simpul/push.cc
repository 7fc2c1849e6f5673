// simpul push: sends events from a file or pipe and says what became of each.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "simpul/client_rpc.h"
#include "simpul/command.h"
#include "simpul/event_json.h"
#include "simpul/line_reader.h"
#include "simpul/sender.h"

namespace simpul::cli {
namespace {

struct Options {
  Door door;
  std::string file;
  int batches_in_flight = 4;
  double give_up_after_s = 60;
  double connect_for_s = 3;
};

std::string ViolationJson(const ingest::v1::Violation& violation) {
  return JsonLine()
      .Text("field", violation.field())
      .Text("rule", violation.rule())
      .Text("message", violation.message())
      .Text("fix", violation.fix())
      .Take();
}

std::string OutcomeWord(ingest::v1::Outcome outcome) {
  switch (outcome) {
    case ingest::v1::OUTCOME_ACCEPTED:
      return "accepted";
    case ingest::v1::OUTCOME_REFUSED:
      return "refused";
    default:
      return "unknown";
  }
}

std::string ItemJson(const Item& item) {
  std::vector<std::string> warnings, violations;
  for (const auto& one : item.outcome.warnings()) warnings.push_back(ViolationJson(one));
  for (const auto& one : item.outcome.violations()) violations.push_back(ViolationJson(one));
  JsonLine line;
  line.Count("line", item.line)
      .Text("event_id",
            item.outcome.event_id().empty() ? item.event.event_id() : item.outcome.event_id())
      .Text("outcome", OutcomeWord(item.outcome.outcome()))
      .Text("position", item.outcome.position())
      .RawList("warnings", warnings)
      .RawList("violations", violations);
  if (item.outcome.retry() != ingest::v1::RETRY_UNSPECIFIED) {
    line.Text("retry", EnumWord(ingest::v1::Retry_Name(item.outcome.retry()), "RETRY_"));
  }
  return line.Take();
}

// Counts and shows answers.
class Answers {
 public:
  explicit Answers(bool json)
      : json_(json), progress_(isatty(STDERR_FILENO) != 0), begun_(Clock::now()) {}

  void Add(const std::vector<Item>& items) {
    for (const Item& item : items) {
      switch (item.outcome.outcome()) {
        case ingest::v1::OUTCOME_ACCEPTED:
          ++accepted;
          if (item.outcome.warnings_size() > 0) ++warned;
          for (const auto& one : item.outcome.warnings()) ++warnings[one.rule()];
          break;
        case ingest::v1::OUTCOME_REFUSED:
          ++refused;
          break;
        default:
          ++unknown;
          if (!first_open_line) first_open_line = item.line;
      }
      if (json_) {
        Print(ItemJson(item));
      } else if (item.outcome.outcome() == ingest::v1::OUTCOME_REFUSED) {
        ClearProgress();
        Print(fmt::format(
            "line {}: refused {}", item.line,
            item.event.event_id().empty() ? item.outcome.event_id() : item.event.event_id()));
        for (const auto& one : item.outcome.violations()) {
          Print(fmt::format("  {}{}{} [{}] {}", one.field(), one.field().empty() ? "" : ": ",
                            one.message(), one.rule(), one.fix()));
        }
      }
    }
    if (json_) std::fflush(stdout);
    ShowProgress();
  }

  void ClearProgress() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    shown_ = false;
  }

  uint64_t accepted = 0, warned = 0, refused = 0, unknown = 0;
  std::map<std::string, uint64_t> warnings;
  std::optional<uint64_t> first_open_line;

 private:
  using Clock = std::chrono::steady_clock;

  void ShowProgress() {
    const auto now = Clock::now();
    if (!progress_ || now - last_shown_ < std::chrono::milliseconds(200)) return;
    last_shown_ = now;
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    const uint64_t all = accepted + refused + unknown;
    fmt::print(stderr, "\r\x1b[K{} answered, {} refused, {}/s", Grouped(all), Grouped(refused),
               Grouped(static_cast<uint64_t>(static_cast<double>(all) / seconds)));
    std::fflush(stderr);
    shown_ = true;
  }

  const bool json_;
  const bool progress_;
  const Clock::time_point begun_;
  Clock::time_point last_shown_;
  bool shown_ = false;
};

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

// The command that takes events from standard input to the same place.
std::string PipeCommand(const Options& options) {
  return options.door.to == Door().to ? "simpul push -"
                                      : fmt::format("simpul push --to {} -", options.door.to);
}

int Push(const Options& options) {
  int fd = STDIN_FILENO;
  if (options.file != "-") {
    fd = ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      Complain(
          fmt::format("push: {} cannot be read: {}; give a file with one event a line, or - "
                      "for standard input",
                      options.file, std::strerror(errno)));
      return kWrongUse;
    }
    struct stat what = {};
    if (::fstat(fd, &what) == 0 && S_ISDIR(what.st_mode)) {
      ::close(fd);
      Complain(
          fmt::format("push: {} is a folder; give one of its files, or all of them: cat {}/* | {}",
                      options.file, options.file, PipeCommand(options)));
      return kWrongUse;
    }
  }
  WatchStop();
  Client client(options.door.to);
  Answers answers(options.door.json);
  Sender::Options sending;
  sending.batches_in_flight = options.batches_in_flight;
  sending.retry_for = Milliseconds(options.give_up_after_s);
  sending.connect_for = Milliseconds(options.connect_for_s);
  Sender sender(
      sending,
      [&client](const ingest::v1::SubmitEventsRequest& request,
                ingest::v1::SubmitEventsResponse& response, std::chrono::milliseconds deadline,
                std::chrono::milliseconds& wait) {
        return client.SubmitEvents(request, response, deadline, wait);
      },
      [&answers](const std::vector<Item>& items) { answers.Add(items); });
  const WhenStopped tell(Stopping(), std::chrono::milliseconds(0), [&sender] { sender.Stop(); });
  // A call in hand has some seconds to end after Ctrl-C, then it is cut off.
  const WhenStopped cut(Stopping(), sending.stop_within, [&client] { client.Cancel(); });

  LineReader reader(fd, kLineBytesMax, Stopping());
  bool going = true;
  bool whole = false;
  while (going) {
    Item item;
    // What a slow pipe brought goes out before the next line comes.
    switch (reader.Next(std::chrono::milliseconds(200))) {
      case LineReader::Result::kLine: {
        if (reader.line().find_first_not_of(" \t") == std::string::npos) break;
        auto parsed = ParseEventLine(reader.line());
        item.line = reader.number();
        if (auto* violation = std::get_if<ingest::v1::Violation>(&parsed)) {
          item.outcome.set_event_id(FindEventId(reader.line()));
          item.outcome.set_outcome(ingest::v1::OUTCOME_REFUSED);
          item.outcome.set_retry(RetryOf(*violation));
          *item.outcome.add_violations() = std::move(*violation);
        } else {
          item.event = std::move(std::get<event::v1::Event>(parsed));
        }
        going = sender.Put(std::move(item));
        break;
      }
      case LineReader::Result::kTooLong:
        item.line = reader.number();
        item.outcome.set_outcome(ingest::v1::OUTCOME_REFUSED);
        item.outcome.set_retry(ingest::v1::RETRY_FINAL);
        *item.outcome.add_violations() = LineTooLong();
        going = sender.Put(std::move(item));
        break;
      case LineReader::Result::kNothing:
        sender.Flush();
        break;
      case LineReader::Result::kEnd:
        whole = reader.error() == 0;
        going = false;
        break;
      case LineReader::Result::kStopped:
        going = false;
        break;
    }
  }
  const absl::Status given_up = sender.Finish();
  if (fd != STDIN_FILENO) ::close(fd);
  answers.ClearProgress();

  if (!given_up.ok() && given_up.code() != absl::StatusCode::kCancelled) {
    Complain("push: " + Explain(given_up, options.door.to));
  }
  if (reader.error() != 0) {
    Complain(fmt::format("push: reading stopped after line {}: {}", reader.number(),
                         std::strerror(reader.error())));
  }
  std::string counts = fmt::format("{} accepted", Grouped(answers.accepted));
  if (answers.warned > 0) counts += fmt::format(" ({} with warnings)", Grouped(answers.warned));
  counts +=
      fmt::format(", {} refused, {} unknown", Grouped(answers.refused), Grouped(answers.unknown));
  if (options.door.json) {
    Complain("push: " + counts);
  } else {
    Print(counts);
    for (const auto& [rule, times] : answers.warnings) {
      Print(fmt::format("  warning {} {}", rule, Grouped(times)));
    }
  }
  if (!whole || answers.unknown > 0) {
    const uint64_t from = answers.first_open_line.value_or(reader.number() + 1);
    Complain(fmt::format(
        "push: not finished: lines before {} are answered. To go on, push the same again: what was "
        "accepted counts once{}",
        from,
        options.file == "-"
            ? ""
            : fmt::format(". Or: tail -n +{} {} | {}", from, options.file, PipeCommand(options))));
    return kFailed;
  }
  return answers.refused > 0 ? kFailed : kDone;
}

}  // namespace

void AddPush(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("push", "Send events: protobuf JSON, one a line");
  AddDoor(*command, options->door);
  command->add_option("--in-flight", options->batches_in_flight, "Batches sent at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option("--give-up-after", options->give_up_after_s,
                   "Seconds after which a batch without answer is given up")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      ->add_option("--connect-for", options->connect_for_s,
                   "Seconds to wait for a Simpul that has never answered")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("FILE", options->file, "File with events, or - for standard input")
      ->required();
  command->callback([&chosen, options] { chosen.run = [options] { return Push(*options); }; });
}

}  // namespace simpul::cli
