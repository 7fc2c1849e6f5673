#include "simpul/patient_growth.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <chrono>
#include <vector>

#include "lib/base/status_macros.h"
#include "lib/event/identity_text.h"
#include "simpul/client_rpc.h"
#include "simpul/growth_line.h"
#include "simpul/summary.h"

namespace simpul::cli {
namespace {

using timeline::v1::CardMonth;
using timeline::v1::GetGrowthResponse;
using timeline::v1::GrowthIndex;
using timeline::v1::Measured;

std::string MonthJson(const GetGrowthResponse& response, const CardMonth& month) {
  JsonLine line;
  line.Text("month", month.month()).Text("status", month.status());
  if (month.has_previous()) {
    const auto previous = static_cast<int>(month.previous());
    line.Text("previous_event_id",
              previous < response.measured_size() ? response.measured(previous).event_id() : "")
        .Count("days", month.days())
        .Number("gain_g", month.gain_g());
    if (month.has_kbm_g()) line.Count("kbm_g", month.kbm_g());
  }
  return line.Flag("two_t", month.two_t())
      .Flag("bgm", month.bgm())
      .Flag("above_orange", month.above_orange())
      .Flag("by_oedema", month.by_oedema())
      .Flag("interval_short", month.interval_short())
      .Flag("interval_long", month.interval_long())
      .Text("proposes", month.proposes())
      .Count("rules", month.rules())
      .Take();
}

std::string WeighingJson(const timeline::v1::CardWeighing& weighing) {
  return JsonLine()
      .Flag("usable", weighing.usable())
      .Text("no_status", weighing.no_status())
      .Flag("bgm", weighing.bgm())
      .Flag("above_orange", weighing.above_orange())
      .Flag("reweigh", weighing.reweigh())
      .Take();
}

void PrintJson(const PatientGrowth& asked, const GetGrowthResponse& response, size_t nth,
               const CardMonth* month) {
  const Measured& measured = response.measured(static_cast<int>(nth));
  JsonLine line;
  line.Text("patient", asked.patient)
      .Text("event_id", measured.event_id())
      .Text("entry_id", measured.entry_id())
      .Raw("facility", FacilityJson(measured.facility()))
      .Text("purpose", EnumWord(event::v1::Purpose_Name(measured.purpose()), "PURPOSE_"))
      .Text("day", measured.day());
  if (measured.has_age_days()) line.Number("age_days", measured.age_days());
  const auto count = [&line](std::string_view name, bool is_there, uint32_t value) {
    if (is_there) line.Count(name, value);
  };
  count("weight_g", measured.has_weight_g(), measured.weight_g());
  count("length_mm", measured.has_length_mm(), measured.length_mm());
  count("length_used_mm", measured.has_length_used_mm(), measured.length_used_mm());
  count("head_mm", measured.has_head_mm(), measured.head_mm());
  count("muac_mm", measured.has_muac_mm(), measured.muac_mm());
  line.Flag("oedema", measured.oedema());
  JsonLine indices, not_derived;
  for (const GrowthIndex& index : measured.indices()) {
    if (!index.not_derived().empty()) {
      not_derived.Text(index.index(), index.not_derived());
      continue;
    }
    JsonLine one;
    if (index.has_z_hundredths()) {
      one.Raw("z", HundredthsText(index.z_hundredths()));
    } else {
      one.Null("z");
    }
    one.Text("class", index.growth_class());
    if (index.flag().empty()) {
      one.Null("flag");
    } else {
      one.Text("flag", index.flag());
    }
    indices.Raw(index.index(), one.Take());
  }
  line.Raw("indices", indices.Take()).Raw("not_derived", not_derived.Take());
  if (measured.has_bmi_hundredths()) line.Raw("bmi", HundredthsText(measured.bmi_hundredths()));
  if (!measured.nutritional_status().empty()) {
    line.Text("nutritional_status", measured.nutritional_status())
        .Text("nutritional_status_from", measured.nutritional_status_from());
  }
  if (measured.has_weighing()) line.Raw("weighing", WeighingJson(measured.weighing()));
  if (month != nullptr) line.Raw("card", MonthJson(response, *month));
  Print(line.Count("rules", response.rules())
            .Count("records_behind", response.records_behind())
            .Take());
}

// "-0.57 normal", or why there is none.
std::string IndexText(const Measured& measured, std::string_view name) {
  for (const GrowthIndex& index : measured.indices()) {
    if (index.index() != name) continue;
    if (!index.not_derived().empty()) return "-";
    std::string text = index.has_z_hundredths() ? HundredthsText(index.z_hundredths()) : "";
    if (index.growth_class() != "no_class_table") text += " " + index.growth_class();
    if (!index.flag().empty()) text += " (" + index.flag() + ")";
    return text;
  }
  return "-";
}

// What a midwife must not overlook.
std::string CardRemark(const Measured& measured, const CardMonth* month) {
  std::vector<std::string> words;
  if (measured.purpose() == event::v1::PURPOSE_TRAINING) words.push_back("training");
  if (measured.oedema()) words.push_back("oedema");
  if (measured.weighing().bgm()) words.push_back("below the red line");
  if (measured.weighing().above_orange()) words.push_back("above the orange line");
  if (measured.weighing().reweigh()) words.push_back("weigh again");
  if (month != nullptr) {
    if (month->two_t()) words.push_back("2T");
    if (month->interval_short()) words.push_back(fmt::format("only {} days", month->days()));
    if (month->interval_long()) words.push_back(fmt::format("{} days", month->days()));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string CardText(const Measured& measured, const CardMonth* month) {
  if (month == nullptr) return measured.weighing().no_status();
  if (!month->has_previous()) return month->status();
  return fmt::format("{} {:+} g{}", month->status(), month->gain_g(),
                     month->has_kbm_g() ? fmt::format(" of {}", month->kbm_g()) : "");
}

std::string Metric(bool is_there, uint32_t thousandths, std::string_view unit) {
  return is_there ? fmt::format("{}.{:02} {}", thousandths / 1000, thousandths % 1000 / 10, unit)
                  : "-";
}

}  // namespace

int ShowPatientGrowth(const Door& door, const PatientGrowth& asked) {
  const auto patient = event::ParseIdentity(asked.patient);
  if (!patient.ok()) {
    Complain(fmt::format("growth: --patient: {}", base::Message(patient.status())));
    return kWrongUse;
  }
  timeline::v1::GetGrowthRequest request;
  *request.mutable_patient() = *patient;
  request.set_min_position(asked.min_position);
  const auto wait = std::chrono::milliseconds(static_cast<int64_t>(asked.wait_s * 1000));
  *request.mutable_wait_max() =
      google::protobuf::util::TimeUtil::MillisecondsToDuration(wait.count());
  Client client(door.to);
  GetGrowthResponse response;
  if (const absl::Status got = client.GetGrowth(request, response, wait + std::chrono::seconds(10));
      !got.ok()) {
    Complain("growth: " + Explain(got, door.to));
    return kFailed;
  }
  std::vector<const CardMonth*> months(static_cast<size_t>(response.measured_size()));
  for (const CardMonth& month : response.card()) {
    if (month.weighing() < months.size()) months[month.weighing()] = &month;
  }
  if (door.json) {
    for (size_t n = 0; n < months.size(); ++n) PrintJson(asked, response, n, months[n]);
    return kDone;
  }
  if (response.measured().empty()) {
    Print("Nothing was measured.");
    return kDone;
  }
  Print(fmt::format("{}, born {}", EnumWord(event::v1::Sex_Name(response.sex()), "SEX_"),
                    response.birth_date().empty() ? "unknown" : response.birth_date()));
  if (response.records_behind() > 0) {
    Print(fmt::format("{} records of the log are not applied yet; something may be missing.",
                      response.records_behind()));
  }
  Table table({"DAY", "AGE", "WEIGHT", "LENGTH", "BB/U", "PB(TB)/U", "BB/PB(TB)", "KMS", "REMARK"});
  for (size_t n = 0; n < months.size(); ++n) {
    const Measured& measured = response.measured(static_cast<int>(n));
    const CardMonth* const month = months[n];
    table.Row({measured.day(),
               measured.has_age_days() ? fmt::format("{} d", measured.age_days()) : "-",
               Metric(measured.has_weight_g(), measured.weight_g(), "kg"),
               Metric(measured.has_length_mm(), measured.length_mm(), "m"),
               IndexText(measured, "weight_for_age"), IndexText(measured, "length_height_for_age"),
               IndexText(measured, "weight_for_length_height"), CardText(measured, month),
               CardRemark(measured, month)});
  }
  Print(table.Text());
  return kDone;
}

}  // namespace simpul::cli
