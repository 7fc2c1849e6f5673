// The files that operators keep: directory, credentials, population, places and people; and the
// areas that they type. The first byte chooses.
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

#include "lib/area/area_code.h"
#include "lib/area/directory_lines.h"
#include "lib/area/roll_out.h"
#include "lib/base/check.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/deliver/credentials.h"
#include "lib/fhir/directory.h"
#include "sandbox/people.h"
#include "tests/fuzz/target.h"

namespace simpul::fuzz {
namespace {

void CheckWords(const absl::Status& status) {
  if (status.ok()) return;
  const std::string words(base::Message(status));
  SIMPUL_CHECK(!words.empty(), "no reason");
  SIMPUL_CHECK(!base::LooksLikeNik(words), "the words hold a value");
  SIMPUL_CHECK(words.find("hush") == std::string::npos, "the words hold a secret");
}

// A file that has no name anywhere.
class Nameless {
 public:
  explicit Nameless(std::string_view text) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    SIMPUL_CHECK(fd_ >= 0 && write(fd_, text.data(), text.size()) == ssize_t(text.size()), "");
  }
  ~Nameless() { close(fd_); }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

// Whatever was read answers, and is the same in another order.
void CheckPlaces(std::string_view text) {
  const area::SourceText file{"f", text};
  const area::Reading reading = area::ReadLines({&file, 1});
  SIMPUL_CHECK(reading.wrong.empty() == (reading.wrong_count == 0), "");
  for (const area::WrongLine& wrong : reading.wrong) {
    CheckWords(absl::InvalidArgumentError(wrong.Text()));
  }
  const area::Directory& directory = reading.directory;
  if (reading.wrong_count > 0) {
    SIMPUL_CHECK(directory.facilities().empty() && directory.digest().empty(), "half a directory");
    return;
  }
  const area::Day day = area::Day(std::chrono::days(20'000));
  const auto month = std::chrono::year(2026) / 2;
  for (size_t i = 0; i < directory.facilities().size(); ++i) {
    SIMPUL_CHECK(directory.Ancestors(i).size() < directory.facilities().size(), "a circle");
    for (const area::DatedCode& code : directory.facilities()[i].codes) {
      directory.ActivityOn(code.code, "U1", day);
      area::RollOutOf(directory, {code.code, {}}, month, {});
      directory.Target({code.code, {}}, "K1", 2026);
    }
  }
  event::v1::Address home;
  home.set_village_system("kemendagri");
  home.set_village_code("73.24.02.2003");
  home.set_rw("001");
  directory.Serving(home, day);
  size_t middle = text.find('\n', text.size() / 2);
  middle = middle == std::string_view::npos ? text.size() : middle + 1;
  // A mark of byte order is one only where a file begins.
  if (text.starts_with("\xEF\xBB\xBF") || text.substr(middle).starts_with("\xEF\xBB\xBF")) return;
  const area::SourceText halves[] = {{"b", text.substr(middle)}, {"a", text.substr(0, middle)}};
  const area::Reading turned = area::ReadLines(halves);
  SIMPUL_CHECK(turned.wrong_count == 0, "wrong in another order");
  SIMPUL_CHECK(turned.directory.digest() == directory.digest(), "another directory");
}

void CheckArea(std::string_view text) {
  const absl::StatusOr<area::AreaCode> read = area::AreaCode::Parse(text);
  CheckWords(read.status());
  if (!read.ok()) return;
  const absl::StatusOr<area::AreaCode> again = area::AreaCode::Parse(read->Text());
  SIMPUL_CHECK(again.ok() && *again == *read, "not read back as written");
}

}  // namespace

std::vector<std::string> Seeds() {
  return {
      R"(0{"facilities":[{"codes":[{"system":"kemenkes","code":"P7324020101"}],"name":"Puskesmas","kind":)"
      R"("puskesmas","organization":"100027469","location":"b017aa54-f1df-4ec2-9d84-8823815d7228"},{"codes":)"
      R"([{"system":"kemenkes","code":"7324011"}],"sends_through":{"system":"kemenkes","code":"P7324020101"}}],)"
      R"("units":[{"facility":{"system":"kemenkes","code":"P7324020101"},"code":"MLT3","kind":"posyandu",)"
      R"("name":"Melati","location":"l"}],"practitioners":[{"practitioner_id":"10009880728","nik":)"
      R"("7324021203240001","name":"Bidan"}],"defaults":[{"facility":{"system":"kemenkes","code":"P7324020101"},)"
      R"("unit":"MLT3","practitioner_id":"10009880728","from":"2024-01-01","until":"2026-12-31"}]})",
      R"(1[{"organization":"100027469","client_id":"id","client_secret":"hush"},)"
      R"({"organization":"100027470","client_id":"id2","client_secret":"hush"}])",
      R"(2[{"nik":"7324024105200001","name":"Ananda","birth_date":"2020-05-01","sex":"female","platform_id":)"
      R"("P02478375538"},{"mother_nik":"7324025708960002","birth_date":"2026-02-20","birth_order":1}])",
      R"(2{"people":[{"name":"Budi","birth_date":"1960-01-01","sex":"male"}],"practitioners":)"
      R"([{"practitioner_id":"10009880728","nik":"7324021203240001","name":"Bidan","sex":"female"}]})",
      R"(3{"row":"facility","codes":[{"code":"kemenkes|P1","until":"2026-01-01"},{"code":"bpjs|0342R074"}],)"
      R"("kind":"puskesmas","name":"Nuha","regions":["73.24.02.2003"],"stages":[{"stage":"active","from":)"
      R"("2025-01-01"}]})"
      "\n"
      R"({"row":"facility","codes":[{"code":"a|2"}],"kind":"pustu","name":"x","parent":"bpjs|0342R074"})"
      "\n"
      R"({"row":"unit","facility":"kemenkes|P1","code":"U1","kind":"pustu","name":"x","active":[{"from":)"
      R"("2026-02-01","until":"2026-03-01"}]})"
      "\n"
      R"({"row":"serves","area":"73.24.02.2003/Sumasang/01/2","facility":"kemenkes|P1","person":"kader-07"})"
      "\n"
      R"({"row":"roster","facility":"kemenkes|P1","unit":"U1","person":"a","role":"nurse","weekdays":["mon"]})"
      "\n"
      R"({"row":"target","area":"73.24.02","indicator":"K1","year":2026,"number":34})"
      "\n",
      R"(3{"row":"competency","facility":"kemenkes|P1","person":"a","skill":7,"group":"posyandu","tier":"purwa"})"
      "\n# \n"
      R"({"row":"facility","codes":[{"code":"kemenkes|P1"}],"kind":"clinic","name":"x","parent":"kemenkes|P1"})"
      "\n"
      R"({"row":"skill_needed","measurement":"weight","skill":7,"from":"2026-01-01"})"
      "\n"
      R"({"row":"region","code":"kemendagri|73","name":"x"})"
      "\n",
      "4kemendagri|73.24.02.2003/Sumasang/001/2",
      "473.24.02.2003//1",
      "4bpjs|0342R074",
      "2{\"nik\":\"7324024105200001\"}\n{\"nik\":\"7324024105200002\"}\n",
  };
}

}  // namespace simpul::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace simpul;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch ((bytes[0] + 2) % 5) {  // the digit that seeds begin with
    case 0:
      fuzz::CheckWords(fhir::Directory::Parse(text).status());
      break;
    case 1:
      fuzz::CheckWords(deliver::Credentials::Parse(text).status());
      break;
    case 2: {
      const fuzz::Nameless file(text);
      fuzz::CheckWords(sandbox::People::Load(file.path()).status());
      break;
    }
    case 3:
      fuzz::CheckPlaces(text);
      break;
    case 4:
      fuzz::CheckArea(text);
      break;
  }
  return 0;
}
