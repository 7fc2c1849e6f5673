#include "sandbox/facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace simpul::sandbox {
namespace {

constexpr std::string_view kCreator = "http://sys-ids.kemkes.go.id/creator";
constexpr std::string_view kCodeLists = "http://terminology.kemkes.go.id/";
constexpr std::string_view kMotherNik = "https://fhir.kemkes.go.id/id/nik-ibu|";

void AddIdentifier(const Json& identifier, std::vector<std::string>& out) {
  const std::string_view system = MemberText(identifier, "system");
  const std::string_view value = MemberText(identifier, "value");
  if (value.empty() || system == kCreator) return;
  std::string text = fmt::format("{}|{}", system, value);
  if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
}

std::string DoseNumber(const Json& resource) {
  const Json* applied = Member(resource, "protocolApplied");
  if (applied == nullptr || !applied->IsArray() || applied->Empty()) return "";
  const Json* dose = Member((*applied)[0], "doseNumberPositiveInt");
  return dose != nullptr && dose->IsInt() ? fmt::format("{}", dose->GetInt()) : "";
}

std::string VaccineCodes(const Json& resource) {
  std::vector<std::string> codes;
  const Json* codings = Member(Member(resource, "vaccineCode"), "coding");
  if (codings != nullptr && codings->IsArray()) {
    for (const Json& coding : codings->GetArray()) {
      codes.push_back(
          fmt::format("{}|{}", MemberText(coding, "system"), MemberText(coding, "code")));
    }
  }
  std::sort(codes.begin(), codes.end());
  return fmt::format("{}", fmt::join(codes, ","));
}

}  // namespace

bool NamesOneResource(std::string_view identifier) { return !identifier.starts_with(kCodeLists); }

std::string_view IdIn(std::string_view reference, std::string_view type) {
  if (!reference.starts_with(type) || reference.size() <= type.size() ||
      reference[type.size()] != '/') {
    return {};
  }
  return reference.substr(type.size() + 1);
}

Facts ReadFacts(const Json& resource, std::string_view type) {
  Facts facts;
  if (const Json* identifier = Member(resource, "identifier"); identifier != nullptr) {
    if (identifier->IsArray()) {
      for (const Json& one : identifier->GetArray()) AddIdentifier(one, facts.identifiers);
    } else {
      AddIdentifier(*identifier, facts.identifiers);
    }
  }
  for (const std::string_view name : {"subject", "patient"}) {
    const Json* about = Member(resource, name);
    if (about == nullptr) continue;
    facts.patient = IdIn(MemberText(*about, "reference"), "Patient");
    if (!facts.patient.empty()) break;
  }
  if (type == "Patient") {
    // A mother's number names all her children.
    std::erase_if(facts.identifiers,
                  [](const std::string& one) { return one.starts_with(kMotherNik); });
  }
  if (type == "Immunization" && facts.identifiers.empty()) {
    facts.natural_key =
        fmt::format("{}\n{}\n{}\n{}", facts.patient, VaccineCodes(resource),
                    MemberText(resource, "occurrenceDateTime"), DoseNumber(resource));
  }
  return facts;
}

}  // namespace simpul::sandbox
