#include "lib/timeline/screened_words.h"

#include <algorithm>
#include <span>
#include <string>

namespace simpul::timeline {
namespace {

constexpr std::string_view kIcd10 = "http://hl7.org/fhir/sid/icd-10";

constexpr Spelling kTools[] = {
    {"SRQ20", "SRQ-20"},        {"AD8", "AD-8"},
    {"GDS4", "GDS-4"},          {"GDS15", "GDS-15"},
    {"MINICOG", "MINI-COG"},    {"MNASF", "MNA-SF"},
    {"PHQ9", "PHQ-9"},          {"HAK", "CAH"},
    {"SARCCALF", "SARC-CALF"},  {"ANTIHCV", "ANTI-HCV"},
    {"VISUS", "VISUAL-ACUITY"},
};

constexpr Spelling kWordInputs[] = {
    {"SHK", "tsh"},
    {"G6PD", "g6pd"},
    {"CAH", "cah"},
    {"STOOL-COLOUR", "stool_colour"},
    {"KPSP", "KPSP"},
    {"TUMBLING-E", "TUMBLING-E"},
    {"MTBS", "MTBS-COLOUR"},
    {"MTBS-COLOUR", "MTBS-COLOUR"},
    {"PUPIL", "pupil"},
    {"PUPIL-REFLEX", "pupil_reflex"},
    {"HBSAG", "hbsag"},
    {"ANTI-HCV", "anti_hcv"},
    {"TB-SYMPTOM", "TB-SYMPTOM"},
};

constexpr Wording kWords[] = {
    {"tsh", "within range", "within_range"},
    {"tsh", "normal", "within_range"},
    {"tsh", "high", "high"},
    {"tsh", "tinggi", "high"},
    {"g6pd", "negative", "negative"},
    {"g6pd", "negatif", "negative"},
    {"g6pd", "positive", "positive"},
    {"g6pd", "positif", "positive"},
    {"cah", "negative", "negative"},
    {"cah", "negatif", "negative"},
    {"cah", "positive", "positive"},
    {"cah", "positif", "positive"},
    {"stool_colour", "not pale", "not_pale"},
    {"stool_colour", "tidak pucat", "not_pale"},
    {"stool_colour", "pale", "pale"},
    {"stool_colour", "pucat", "pale"},
    {"KPSP", "fits age", "fits_age"},
    {"KPSP", "sesuai", "fits_age"},
    {"KPSP", "sesuai umur", "fits_age"},
    {"KPSP", "doubtful", "doubtful"},
    {"KPSP", "meragukan", "doubtful"},
    {"KPSP", "deviation", "deviation"},
    {"KPSP", "penyimpangan", "deviation"},
    {"KPSP", "kemungkinan penyimpangan", "deviation"},
    {"TUMBLING-E", "pass", "pass"},
    {"TUMBLING-E", "lulus", "pass"},
    {"TUMBLING-E", "not passed", "not_passed"},
    {"TUMBLING-E", "tidak lulus", "not_passed"},
    {"MTBS-COLOUR", "green", "green"},
    {"MTBS-COLOUR", "hijau", "green"},
    {"MTBS-COLOUR", "yellow", "yellow"},
    {"MTBS-COLOUR", "kuning", "yellow"},
    {"MTBS-COLOUR", "red", "red"},
    {"MTBS-COLOUR", "merah", "red"},
    {"MTBS-COLOUR", "merah muda", "red"},
    {"pupil", "not grey", "not_grey"},
    {"pupil", "tidak keruh", "not_grey"},
    {"pupil", "grey", "grey"},
    {"pupil", "keruh", "grey"},
    {"hbsag", "non reactive", "non_reactive"},
    {"hbsag", "nonreactive", "non_reactive"},
    {"hbsag", "non reaktif", "non_reactive"},
    {"hbsag", "nonreaktif", "non_reactive"},
    {"hbsag", "tidak reaktif", "non_reactive"},
    {"hbsag", "negative", "non_reactive"},
    {"hbsag", "negatif", "non_reactive"},
    {"hbsag", "reactive", "reactive"},
    {"hbsag", "reaktif", "reactive"},
    {"hbsag", "positive", "reactive"},
    {"hbsag", "positif", "reactive"},
    {"anti_hcv", "non reactive", "non_reactive"},
    {"anti_hcv", "nonreactive", "non_reactive"},
    {"anti_hcv", "non reaktif", "non_reactive"},
    {"anti_hcv", "nonreaktif", "non_reactive"},
    {"anti_hcv", "tidak reaktif", "non_reactive"},
    {"anti_hcv", "negative", "non_reactive"},
    {"anti_hcv", "negatif", "non_reactive"},
    {"anti_hcv", "reactive", "reactive"},
    {"anti_hcv", "reaktif", "reactive"},
    {"anti_hcv", "positive", "reactive"},
    {"anti_hcv", "positif", "reactive"},
    {"TB-SYMPTOM", "not presumptive", "not_presumptive"},
    {"TB-SYMPTOM", "bukan terduga", "not_presumptive"},
    {"TB-SYMPTOM", "close contact", "close_contact"},
    {"TB-SYMPTOM", "kontak erat", "close_contact"},
    {"TB-SYMPTOM", "presumptive", "presumptive"},
    {"TB-SYMPTOM", "terduga", "presumptive"},
    {"TB-SYMPTOM", "terduga tbc", "presumptive"},
    {"protein", "negative", "0"},
    {"protein", "negatif", "0"},
    {"protein", "-", "0"},
    {"protein", "(-)", "0"},
    {"protein", "trace", "0"},
    {"protein", "+/-", "0"},
    {"protein", "positive", "1"},
    {"protein", "positif", "1"},
    {"protein", "+", "1"},
    {"protein", "(+)", "1"},
    {"protein", "+1", "1"},
    {"protein", "1+", "1"},
    {"protein", "++", "2"},
    {"protein", "+2", "2"},
    {"protein", "2+", "2"},
    {"protein", "+++", "3"},
    {"protein", "+3", "3"},
    {"protein", "3+", "3"},
    {"protein", "++++", "4"},
    {"protein", "+4", "4"},
    {"protein", "4+", "4"},
    {"answer", "yes", "yes"},
    {"answer", "ya", "yes"},
    {"answer", "no", "no"},
    {"answer", "tidak", "no"},
};

constexpr CodedText kCodes[] = {
    {kSnomed, "10828004", "positive"}, {kSnomed, "260385009", "negative"},
    {kSnomed, "11214006", "reactive"}, {kSnomed, "131194007", "non reactive"},
    {kSnomed, "260405006", "trace"},   {kSnomed, "260347006", "+"},
    {kSnomed, "260348001", "++"},      {kSnomed, "260349009", "+++"},
    {kSnomed, "260350009", "++++"},    {kSnomed, "373066001", "yes"},
    {kSnomed, "373067005", "no"},      {kLoinc, "LA6576-8", "positive"},
    {kLoinc, "LA6577-6", "negative"},  {kLoinc, "LA33-6", "yes"},
    {kLoinc, "LA32-8", "no"},
};

// Numbers of questions are not taken, SRQ-20's apart: each form counts in its own way.
constexpr Wording kQuestions[] = {
    {"TB-SYMPTOM", "cough", "cough"},
    {"TB-SYMPTOM", "batuk", "cough"},
    {"TB-SYMPTOM", "fever", "fever"},
    {"TB-SYMPTOM", "demam", "fever"},
    {"TB-SYMPTOM", "weight", "weight"},
    {"TB-SYMPTOM", "berat badan", "weight"},
    {"TB-SYMPTOM", "lethargy", "lethargy"},
    {"TB-SYMPTOM", "lesu", "lethargy"},
    {"TB-SYMPTOM", "nodes", "nodes"},
    {"TB-SYMPTOM", "kelenjar", "nodes"},
    {"TB-SYMPTOM", "contact", "contact"},
    {"TB-SYMPTOM", "kontak", "contact"},
    {"PJB", "hand", "hand"},
    {"PJB", "tangan", "hand"},
    {"PJB", "foot", "foot"},
    {"PJB", "kaki", "foot"},
    {"ASSIST", "alcohol", "ASSIST-ALCOHOL"},
    {"ASSIST", "alkohol", "ASSIST-ALCOHOL"},
    {"ASSIST", "tobacco", "ASSIST-OTHER"},
    {"ASSIST", "tembakau", "ASSIST-OTHER"},
    {"ASSIST", "cannabis", "ASSIST-OTHER"},
    {"ASSIST", "ganja", "ASSIST-OTHER"},
    {"ASSIST", "cocaine", "ASSIST-OTHER"},
    {"ASSIST", "kokain", "ASSIST-OTHER"},
    {"ASSIST", "amphetamine", "ASSIST-OTHER"},
    {"ASSIST", "amfetamin", "ASSIST-OTHER"},
    {"ASSIST", "inhalants", "ASSIST-OTHER"},
    {"ASSIST", "inhalansia", "ASSIST-OTHER"},
    {"ASSIST", "sedatives", "ASSIST-OTHER"},
    {"ASSIST", "sedatif", "ASSIST-OTHER"},
    {"ASSIST", "hallucinogens", "ASSIST-OTHER"},
    {"ASSIST", "halusinogen", "ASSIST-OTHER"},
    {"ASSIST", "opioids", "ASSIST-OTHER"},
    {"ASSIST", "opioid", "ASSIST-OTHER"},
    {"ASSIST", "other", "ASSIST-OTHER"},
    {"ASSIST", "lainnya", "ASSIST-OTHER"},
    {"SKILAS", "chair stand", "chair_stand"},
    {"SKILAS", "mobilisasi", "chair_stand"},
    {"SKILAS", "weight loss", "weight_loss"},
    {"SKILAS", "penurunan berat badan", "weight_loss"},
    {"APRI", "apri", "apri"},
    {"THALASSAEMIA", "mcv", "mcv"},
    {"THALASSAEMIA", "rbc", "rbc"},
    {"THALASSAEMIA", "eritrosit", "rbc"},
    {"THALASSAEMIA", "mch", "mch"},
};

constexpr CodedText kConvulsions[] = {
    {kSnomed, "91175000", "seizure"},
    {kSnomed, "41497008", "febrile convulsion"},
    {kSnomed, "15938005", "eclampsia"},
    {kIcd10, "R56", "convulsions"},
    {kIcd10, "P90", "convulsions of a newborn"},
    {kIcd10, "O15", "eclampsia"},
};
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string Plain(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    const bool joins = (c == '-' || c == '_') && i > 0 && IsLetter(text[i - 1]) &&
                       i + 1 < text.size() && IsLetter(text[i + 1]);
    if (joins || c == '\t' || c == '\n') c = ' ';
    if (c == ' ' && (plain.empty() || plain.back() == ' ')) continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (plain.ends_with(' ')) plain.pop_back();
  return plain;
}

std::string_view Look(std::span<const Wording> words, std::string_view of, std::string_view plain) {
  const auto found = std::ranges::find_if(
      words, [&](const Wording& row) { return row.of == of && row.text == plain; });
  return found == words.end() ? std::string_view() : found->word;
}

std::string_view TextOf(const event::v1::Code& code) {
  const auto found = std::ranges::find_if(kCodes, [&](const CodedText& row) {
    return row.system == std::string_view(code.system()) &&
           row.code == std::string_view(code.code());
  });
  return found == std::ranges::end(kCodes) ? std::string_view() : found->text;
}

std::optional<int> PlusOf(std::string_view word) {
  if (word.empty()) return std::nullopt;
  return word.front() - '0';
}

}  // namespace

std::span<const Spelling> ToolSpellings() { return kTools; }
std::span<const Spelling> ToolResultLists() { return kWordInputs; }
std::span<const Wording> Wordings() { return kWords; }
std::span<const Wording> Questions() { return kQuestions; }
std::span<const CodedText> CodedTexts() { return kCodes; }
std::span<const CodedText> Convulsions() { return kConvulsions; }

bool IsVisualAcuity(std::string_view loinc) { return loinc == "79882-7" || loinc == "79883-5"; }

std::string_view ToolName(std::string_view tool) {
  const auto found = std::ranges::find(kTools, tool, &Spelling::from);
  return found == std::ranges::end(kTools) ? tool : found->to;
}

std::string_view WordInput(std::string_view tool) {
  const auto found = std::ranges::find(kWordInputs, tool, &Spelling::from);
  return found == std::ranges::end(kWordInputs) ? std::string_view() : found->to;
}

std::string_view ResultWord(std::string_view input, std::string_view text) {
  return Look(kWords, input, Plain(text));
}

std::string_view ResultWord(std::string_view input, const event::v1::Code& code) {
  return Look(kWords, input, TextOf(code));
}

std::optional<int> ProteinPlus(std::string_view text) {
  return PlusOf(Look(kWords, "protein", Plain(text)));
}

std::optional<int> ProteinPlus(const event::v1::Code& code) {
  return PlusOf(Look(kWords, "protein", TextOf(code)));
}

std::optional<bool> YesOrNo(const event::v1::Answer& answer) {
  std::string_view word;
  switch (answer.value_case()) {
    case event::v1::Answer::kFlag:
      return answer.flag();
    case event::v1::Answer::kNumber:
      if (answer.number() == 0 || answer.number() == 1) return answer.number() == 1;
      return std::nullopt;
    case event::v1::Answer::kCoded:
      word = Look(kWords, "answer", TextOf(answer.coded()));
      break;
    case event::v1::Answer::kWords:
      word = Look(kWords, "answer", Plain(answer.words()));
      break;
    default:
      break;
  }
  if (word.empty()) return std::nullopt;
  return word == "yes";
}

// ICD-10 by its category: R56.0 is R56.
bool IsConvulsion(const event::v1::Code& sign) {
  const std::string_view code = sign.code();
  return std::ranges::any_of(kConvulsions, [&](const CodedText& row) {
    return row.system == std::string_view(sign.system()) &&
           row.code == (row.system == kIcd10 ? code.substr(0, row.code.size()) : code);
  });
}

std::string_view Question(std::string_view tool, std::string_view link_id) {
  return Look(kQuestions, tool, Plain(link_id));
}

}  // namespace simpul::timeline
