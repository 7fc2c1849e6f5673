// The codes, ids of questions and words by which Screen knows what was recorded. Words are compared
// without case, and a hyphen or underscore between letters is a space. Nothing is guessed: what is
// not here is not understood. Private to screened.cc.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "simpul/event/v1/code.pb.h"

namespace simpul::timeline {

inline constexpr std::string_view kLoinc = "http://loinc.org";
inline constexpr std::string_view kSnomed = "http://snomed.info/sct";

// Of these the rules know no number, so they are no row of rules::ScreeningLabCodes.
inline constexpr std::string_view kUrineProteinLoinc = "5804-0";
inline constexpr std::string_view kHbsagLoinc = "75410-1";
inline constexpr std::string_view kTshLoinc = "29575-8";
inline constexpr std::string_view kGlucoseLoinc = "74774-1";
inline constexpr std::string_view kBirthWeightLoinc = "8339-4";

// The data itself, for the page that lists it.
struct Spelling {
  std::string_view from;
  std::string_view to;
};
struct Wording {
  std::string_view of;    // a result list, a tool, protein, or answer
  std::string_view text;  // in lower case, hyphens and underscores as spaces
  std::string_view word;  // what it means there
};
struct CodedText {
  std::string_view system;
  std::string_view code;
  std::string_view text;  // of a Wording
};
std::span<const Spelling> ToolSpellings();
std::span<const Spelling> ToolResultLists();
std::span<const Wording> Wordings();
std::span<const Wording> Questions();
std::span<const CodedText> CodedTexts();
std::span<const CodedText> Convulsions();

// True for LOINC codes of visual acuity, of either eye.
bool IsVisualAcuity(std::string_view loinc);

// The name the rules have for a tool: SRQ20 is SRQ-20. Others as they are.
std::string_view ToolName(std::string_view tool);

// The result list that a tool's recorded word is looked up in, such as SHK: tsh. Empty: the tool
// has scores.
std::string_view WordInput(std::string_view tool);

// The word of the result list that a recorded text means; empty: none.
std::string_view ResultWord(std::string_view input, std::string_view text);
// The same of a coded result.
std::string_view ResultWord(std::string_view input, const event::v1::Code& code);

// Protein in the urine: 0 for none or a trace, 1 for +1; nullopt: not understood.
std::optional<int> ProteinPlus(std::string_view text);
std::optional<int> ProteinPlus(const event::v1::Code& code);

// Yes or no; nullopt: neither.
std::optional<bool> YesOrNo(const event::v1::Answer& answer);

// True for a danger sign that is a convulsion.
bool IsConvulsion(const event::v1::Code& sign);

// What a question asks, by its id: cough, hand, alcohol, ...; empty: none of those known.
std::string_view Question(std::string_view tool, std::string_view link_id);

}  // namespace simpul::timeline
