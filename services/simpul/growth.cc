// simpul growth: how measured children stand against WHO's standards. Of a file it asks nobody; of
// a patient it asks a running Simpul.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "simpul/command.h"
#include "simpul/growth_line.h"
#include "simpul/line_reader.h"
#include "simpul/patient_growth.h"

namespace simpul::cli {
namespace {

struct Options {
  Door door;
  std::string file;
  PatientGrowth patient;
};

// Answers line by line.
class GrowthAnswers {
 public:
  explicit GrowthAnswers(bool json) : json_(json) {}

  void Add(const MeasuredPerson& person) {
    const rules::Growth growth = rules::Assess(person.measurement);
    ++assessed_;
    if (json_) {
      Print(GrowthJson(person, growth));
    } else {
      AddRows(person, growth);
    }
  }

  void Refuse(uint64_t line, const LineRefused& refused) {
    ++refused_;
    if (json_) {
      Print(JsonLine()
                .Count("line", line)
                .Text("outcome", "refused")
                .Text("field", refused.field)
                .Text("message", refused.message)
                .Text("fix", refused.fix)
                .Take());
      return;
    }
    Complain(fmt::format("growth: line {}: {}{}{}; {}", line, refused.field,
                         refused.field.empty() ? "" : " ", refused.message, refused.fix));
  }

  // What was kept for a person, and the counts.
  void End() {
    const std::string counts =
        fmt::format("{} assessed, {} refused", Grouped(assessed_), Grouped(refused_));
    if (json_) {
      Complain("growth: " + counts);
      return;
    }
    if (!table_.empty()) Print(table_.Text());
    Print(counts);
  }

  uint64_t refused() const { return refused_; }

 private:
  void AddRows(const MeasuredPerson& person, const rules::Growth& growth) {
    std::string id = person.id;
    const auto row = [this, &id](std::string_view index, std::string z, std::string_view what,
                                 std::string_view remark) {
      table_.Row({std::exchange(id, ""), std::string(index), std::move(z), std::string(what),
                  std::string(remark)});
    };
    for (int i = 0; i < rules::kIndices; ++i) {
      const auto index = static_cast<rules::Index>(i);
      if (const auto* score = std::get_if<rules::Score>(&growth.of(index))) {
        row(rules::Word(index), score->z_hundredths ? HundredthsText(*score->z_hundredths) : "-",
            rules::Word(score->growth_class),
            score->implausible ? "implausible: measure again" : "");
      } else {
        row(rules::Word(index), "-", "-",
            rules::Word(std::get<rules::NotDerived>(growth.of(index))));
      }
    }
    if (growth.status) {
      row("nutritional status", "", rules::Word(growth.status->growth_class),
          fmt::format("from {}", rules::Word(growth.status->from)));
    }
    if (growth.standing_too_young) row("position", "", "ignored", "standing before 9 months");
  }

  const bool json_;
  uint64_t assessed_ = 0, refused_ = 0;
  Table table_{{"ID", "INDEX", "Z", "CLASS", "REMARK"}};
};

int Growth(const Options& options) {
  if (options.file.empty() == options.patient.patient.empty()) {
    Complain("growth: give FILE, - for standard input, or --patient ID. See: simpul growth --help");
    return kWrongUse;
  }
  if (options.file.empty()) return ShowPatientGrowth(options.door, options.patient);
  int fd = STDIN_FILENO;
  if (options.file != "-") {
    fd = ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat what = {};
    if (fd < 0 || (::fstat(fd, &what) == 0 && S_ISDIR(what.st_mode))) {
      Complain(
          fmt::format("growth: {} cannot be read: {}; give a file with one child a line, or - "
                      "for standard input",
                      options.file, std::strerror(fd < 0 ? errno : EISDIR)));
      if (fd >= 0) ::close(fd);
      return kWrongUse;
    }
  }
  WatchStop();
  GrowthAnswers answers(options.door.json);
  LineReader reader(fd, kGrowthLineBytesMax, Stopping());
  bool whole = false;
  for (bool going = true; going;) {
    switch (reader.Next(std::chrono::milliseconds(200))) {
      case LineReader::Result::kLine: {
        if (reader.line().find_first_not_of(" \t") == std::string::npos) break;
        const auto parsed = ParseGrowthLine(reader.line());
        if (const auto* refused = std::get_if<LineRefused>(&parsed)) {
          answers.Refuse(reader.number(), *refused);
        } else {
          answers.Add(std::get<MeasuredPerson>(parsed));
        }
        break;
      }
      case LineReader::Result::kTooLong:
        answers.Refuse(reader.number(), {"", "is longer than 64 KiB", "write one child a line"});
        break;
      case LineReader::Result::kNothing:
        std::fflush(stdout);
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
  if (fd != STDIN_FILENO) ::close(fd);
  answers.End();
  if (!whole) {
    Complain(fmt::format("growth: not finished: reading stopped after line {}{}{}", reader.number(),
                         reader.error() == 0 ? "" : ": ",
                         reader.error() == 0 ? "" : std::strerror(reader.error())));
    return kFailed;
  }
  return answers.refused() > 0 ? kFailed : kDone;
}

}  // namespace

void AddGrowth(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("growth",
                                         "WHO z-scores and classes: of measured children, one JSON "
                                         "object a line, without a server; or "
                                         "of a patient, with the growth card (KMS)");
  AddDoor(*command, options->door);
  command->add_option("FILE", options->file, "File with children, or - for standard input");
  command->add_option("--patient", options->patient.patient,
                      "nik|N, mother|NIK|DATE|ORDER, passport|COUNTRY|N, card|N, "
                      "local|SYSTEM|FACILITY|N: what stands on this timeline");
  command->add_option("--min-position", options->patient.min_position,
                      "Wait until this position, as push gave it, is on the timeline");
  command->add_option("--wait", options->patient.wait_s, "Seconds to wait for --min-position")
      ->check(CLI::Range(0.0, 30.0))
      ->capture_default_str();
  command->callback([&chosen, options] { chosen.run = [options] { return Growth(*options); }; });
}

}  // namespace simpul::cli
