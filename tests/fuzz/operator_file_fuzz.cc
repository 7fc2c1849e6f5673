// The files that operators keep: directory, credentials, population. The first byte chooses.
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

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
      "2{\"nik\":\"7324024105200001\"}\n{\"nik\":\"7324024105200002\"}\n",
  };
}

}  // namespace simpul::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace simpul;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 3) {
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
  }
  return 0;
}
