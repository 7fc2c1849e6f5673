// What the mapping yields, the sandbox takes: every golden Bundle is sent, updates as creates.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "lib/base/file.h"
#include "tests/sandbox/sandbox_fixture.h"

namespace simpul::sandbox::testing {
namespace {

std::string ReplaceAll(std::string text, std::string_view part, std::string_view by) {
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + by.size())) {
    text.replace(at, part.size(), by);
  }
  return text;
}

std::vector<std::filesystem::path> GoldenFiles() {
  std::vector<std::filesystem::path> files;
  const char* source = std::getenv("SIMPUL_SOURCE_DIR");
  if (source == nullptr) return files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(source) / "tests/data/fhir")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The Bundle with each PUT turned into a POST: what it would replace is not there. References to
// the replaced become references within the Bundle; `encounter` stands in for visits sent before.
std::string AsCreates(const std::string& bundle, const std::string& encounter) {
  JsonText json(bundle);
  std::string text = ToJson(*json.root());
  for (const Json& entry : Member(*json.root(), "entry")->GetArray()) {
    const Json* request = Member(entry, "request");
    if (MemberText(*request, "method") != "PUT") continue;
    const std::string url(MemberText(*request, "url"));
    const std::string type = url.substr(0, url.find('/'));
    text = ReplaceAll(text, fmt::format(R"("reference":"{}")", url),
                      fmt::format(R"("reference":"{}")", MemberText(entry, "fullUrl")));
    text = ReplaceAll(text, fmt::format(R"("method":"PUT","url":"{}")", url),
                      fmt::format(R"("method":"POST","url":"{}")", type));
    text = ReplaceAll(text, fmt::format(R"("id":"{}",)", url.substr(url.find('/') + 1)), "");
  }
  for (size_t at = text.find(R"("reference":"Encounter/)"); at != std::string::npos;
       at = text.find(R"("reference":"Encounter/)", at + 1)) {
    const size_t from = at + 13, end = text.find('"', from);
    text.replace(from, end - from, encounter);
  }
  return text;
}

class GoldenBundles : public SandboxFixture {};

TEST_F(GoldenBundles, AreTakenWhole) {
  // The files are of many senders and lie about the same patients.
  options.duplicate_check = false;
  Start();
  int taken = 0;
  for (const std::filesystem::path& file : GoldenFiles()) {
    const auto bundle = base::ReadFile(file);
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    if (bundle->find(R"("type": "transaction")") == std::string::npos) continue;
    const std::string encounter =
        "Encounter/" + Create("Encounter", Encounter(file.stem().string()));
    const HttpReply reply = PostFhir("", AsCreates(*bundle, encounter));
    EXPECT_EQ(reply.status, 200) << file.filename() << "\n" << reply.body;
    taken += reply.status == 200 ? 1 : 0;
  }
  EXPECT_GE(taken, 20);
}

}  // namespace
}  // namespace simpul::sandbox::testing
