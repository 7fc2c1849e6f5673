// What was answered stays, whatever happens to the process or the end of its file.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "sandbox/store.h"
#include "tests/sandbox/sandbox_fixture.h"

namespace simpul::sandbox::testing {
namespace {

using ::testing::HasSubstr;

class DurabilityTest : public SandboxFixture {
 protected:
  std::filesystem::path journal() const { return folder / "data" / "resources.journal"; }
};

TEST_F(DurabilityTest, ARestartKeepsWhatWasCreated) {
  Start();
  ASSERT_EQ(PostFhir("", VisitTransaction(1)).status, 200);
  const std::string id = Create("Encounter", Encounter("kept"));
  client->Send("PATCH", "/fhir-r4/v1/Encounter/" + id,
               R"([{"op":"replace","path":"/status","value":"cancelled"}])",
               "application/json-patch+json");
  const std::string before = Report().substr(0, 300);
  const std::string resource = GetFhir("Encounter/" + id).body;
  Stop();
  Start();
  EXPECT_EQ(Report().substr(0, 200), before.substr(0, 200));
  EXPECT_EQ(GetFhir("Encounter/" + id).body, resource);
  EXPECT_THAT(PostFhir("", VisitTransaction(1)).body, HasSubstr("duplicate"));
  EXPECT_THAT(GetFhir("Observation?subject=P02478375538").body, HasSubstr(R"("total":8)"));
}

TEST_F(DurabilityTest, KilledWhileWritingItKeepsEveryAnsweredTransaction) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    // The child stores visits and says after each that it is done, until it is killed.
    auto store = Store::Open(folder / "data", false);
    if (!store.ok()) ::_exit(1);
    for (int i = 0;; ++i) {
      std::vector<Write> writes(3);
      for (int j = 0; j < 3; ++j) {
        writes[j].type = "Observation";
        writes[j].id = fmt::format("{}-{}", i, j);
        writes[j].body = std::string(2000, 'x');
      }
      if (!(*store)->Commit(writes, true).ok()) ::_exit(2);
      if (::write(pipes[1], &i, sizeof i) != sizeof i) ::_exit(3);
    }
  }
  int last = -1;
  for (int i = 0; i < 500; ++i) ASSERT_EQ(::read(pipes[0], &last, sizeof last), ssize_t{4});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipes[1]);
  for (int i; ::read(pipes[0], &i, sizeof i) == sizeof i;) last = i;
  ::close(pipes[0]);

  auto store = Store::Open(folder / "data", false);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->Count("Observation") % 3, 0u);
  for (int i = 0; i <= last; ++i) {
    for (int j = 0; j < 3; ++j) {
      ASSERT_TRUE((*store)->Contains("Observation", fmt::format("{}-{}", i, j)));
    }
  }
}

TEST_F(DurabilityTest, ACommitCutOffAtTheEndIsDroppedWhole) {
  Start();
  ASSERT_EQ(PostFhir("", VisitTransaction(1)).status, 200);
  const auto whole = std::filesystem::file_size(journal());
  ASSERT_EQ(PostFhir("", VisitTransaction(2)).status, 200);
  Stop();
  std::filesystem::resize_file(journal(), std::filesystem::file_size(journal()) - 100);
  Start();
  EXPECT_THAT(Report(), HasSubstr(R"("created":10,)"));
  EXPECT_EQ(std::filesystem::file_size(journal()), whole);
  EXPECT_EQ(PostFhir("", VisitTransaction(2)).status, 200);
  Stop();
  // A machine that lost power may leave zeros behind the last commit.
  std::filesystem::resize_file(journal(), std::filesystem::file_size(journal()) + 5000);
  Start();
  EXPECT_THAT(Report(), HasSubstr(R"("created":20,)"));
}

TEST_F(DurabilityTest, DamageBeforeTheEndIsRefusedWithItsPlace) {
  Start();
  ASSERT_EQ(PostFhir("", VisitTransaction(1)).status, 200);
  ASSERT_EQ(PostFhir("", VisitTransaction(2)).status, 200);
  Stop();
  {
    std::fstream file(journal(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(500);
    file.put('!');
  }
  auto again = Sandbox::Start(options);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("is damaged at byte 8"));
}

TEST_F(DurabilityTest, AFolderOfAnotherKindIsRefused) {
  options.data = folder / "data";
  std::filesystem::create_directories(options.data);
  std::ofstream(journal()) << "something else entirely";
  auto started = Sandbox::Start(options);
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("another --data folder"));
}

TEST_F(DurabilityTest, AFolderOfServesIsRefused) {
  options.data = folder / "data";
  std::filesystem::create_directories(options.data / "log");
  auto started = Sandbox::Start(options);
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("such as log"));
  EXPECT_FALSE(std::filesystem::exists(journal()));
}

TEST_F(DurabilityTest, AFolderServesOneSandboxAtATime) {
  Start();
  auto second = Sandbox::Start(options);
  EXPECT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DurabilityTest, WrongFilesAreRefusedByPlaceAndWithoutTheirContent) {
  options.data = folder / "data";
  options.population = folder / "population.json";
  auto words = [&](std::string_view text) {
    std::ofstream(options.population) << text;
    auto started = Sandbox::Start(options);
    EXPECT_FALSE(started.ok());
    EXPECT_THAT(std::string(started.status().message()), ::testing::Not(HasSubstr("7324")));
    return std::string(started.status().message());
  };
  EXPECT_THAT(words(R"([{"nik":"732402450190"}])"), HasSubstr("person 0: nik must be 16 digits"));
  EXPECT_THAT(words("{\"nik\":\"7324024501900001\"}\n{nonsense"), HasSubstr("line 2 is not JSON"));
  EXPECT_THAT(words(R"([{"name":"Siti 7324"}])"), HasSubstr("must be there"));
  options.population = folder / "nowhere.json";
  EXPECT_EQ(Sandbox::Start(options).status().code(), absl::StatusCode::kNotFound);
  options.population.clear();
  options.credentials = folder / "credentials.json";
  std::ofstream(options.credentials) << R"([{"organization":"1","client_id":"a"}])";
  EXPECT_THAT(std::string(Sandbox::Start(options).status().message()),
              HasSubstr("entry 0: organization, client_id and client_secret"));
}

TEST_F(DurabilityTest, TheDumpHoldsEverythingOneALine) {
  Start();
  ASSERT_EQ(PostFhir("", VisitTransaction(1)).status, 200);
  EXPECT_EQ(CountOf(client->Get("/sandbox/v1/resources").body, "\n"), 10);
  const std::string observations = client->Get("/sandbox/v1/resources?type=Observation").body;
  EXPECT_EQ(CountOf(observations, "\n"), 8);
  EXPECT_EQ(
      CountOf(client->Get("/sandbox/v1/resources?type=Observation&offset=6&count=9").body, "\n"),
      2);
  EXPECT_THAT(client->Get("/metrics").body, HasSubstr("simpul_sandbox_requests_total"));
  EXPECT_EQ(client->Get("/livez").body, "ok\n");
  EXPECT_EQ(client->Get("/sandbox/v1/nothing").status, 404);
}

}  // namespace
}  // namespace simpul::sandbox::testing
