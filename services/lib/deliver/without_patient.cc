#include "lib/deliver/without_patient.h"

#include <cctype>
#include <string_view>

namespace simpul::deliver {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

std::string WithoutPatient(std::string words, const event::v1::Subject& subject) {
  const auto mask = [&words](std::string_view secret) {
    if (secret.size() < 3) return;
    const std::string wanted = Lower(secret);
    for (size_t at = Lower(words).find(wanted); at != std::string::npos;
         at = Lower(words).find(wanted)) {
      words.replace(at, wanted.size(), "***");
    }
  };
  mask(subject.name());
  std::string_view name = subject.name();
  while (!name.empty()) {
    const size_t space = name.find(' ');
    mask(name.substr(0, space));
    name.remove_prefix(space == std::string_view::npos ? name.size() : space + 1);
  }
  for (const event::v1::Identity& identity : subject.identities()) {
    mask(identity.nik().number());
    mask(identity.newborn().mother_nik());
    mask(identity.passport().number());
    mask(identity.card().number());
  }
  mask(subject.phone());
  mask(subject.family_card());
  return words;
}

}  // namespace simpul::deliver
