// Nothing that can be sent brings the sandbox down, and none of it is stored.

#include <fmt/format.h>

#include <random>

#include "sandbox/json.h"
#include "sandbox/json_patch.h"
#include "tests/sandbox/sandbox_fixture.h"

namespace simpul::sandbox::testing {
namespace {

using ::testing::HasSubstr;

class JunkTest : public SandboxFixture {
 protected:
  void SetUp() override { Start(); }
  // Every test ends with a sandbox that still works.
  void TearDown() override {
    EXPECT_THAT(Report(), HasSubstr(R"("created":0)"));
    EXPECT_EQ(PostFhir("", VisitTransaction(1)).status, 200);
  }
};

TEST_F(JunkTest, BodiesThatAreNotJsonAreRefused) {
  const std::string bodies[] = {"",
                                "nonsense",
                                "{",
                                "[1,2",
                                "\"text",
                                "{\"a\":}",
                                std::string("{\"a\":\"\0\"}", 9),
                                "{\"a\":\"\xff\xfe\"}",
                                "{\"a\":\"\\ud800\"}",
                                "{} {}",
                                "1e999999"};
  for (const std::string& body : bodies) {
    for (const char* type : {"", "Encounter", "Patient"}) {
      const HttpReply reply = PostFhir(type, body);
      EXPECT_EQ(reply.status, 400) << type << body;
      EXPECT_THAT(reply.body, HasSubstr("RuleNumber: 2000")) << body;
    }
  }
}

TEST(JsonText, ReadsNumbersInEveryForm) {
  for (const auto& [text, again] : {std::pair("0", "0"),
                                    {"-0", "0"},
                                    {"-9223372036854775808", "-9223372036854775808"},
                                    {"18446744073709551615", "18446744073709551615"},
                                    {"0e-50", "0.0"},
                                    {"50e-50", "5e-49"},
                                    {"12.30", "12.3"},
                                    {"0.1E+2", "10.0"},
                                    {"100000000000000000000", "100000000000000000000.0"},
                                    {"2.2250738585072011e-308", "2.225073858507201e-308"}}) {
    JsonText json(text);
    ASSERT_NE(json.root(), nullptr) << text;
    EXPECT_EQ(ToJson(*json.root()), again);
  }
  for (const char* text : {"1e400", "-1e400", "01", "1.", "+1", "0x10", "1e", "--1", "1-"}) {
    EXPECT_EQ(JsonText(text).root(), nullptr) << text;
  }
}

TEST_F(JunkTest, JsonOfTheWrongShapeIsRefused) {
  for (
      const std::string body :
      {"null", "1", "[]", "{}", R"("x")", R"({"resourceType":1})",
       R"({"resourceType":"Bundle","type":"transaction","entry":{}})",
       R"({"resourceType":"Bundle","type":"transaction","entry":[]})",
       R"({"resourceType":"Bundle","type":"transaction","entry":[1,null,"x"]})",
       R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":[]}]})",
       R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Nothing"}}]})",
       R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":1,"request":[],"resource":{"resourceType":"Encounter"}}]})",
       R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Encounter"},"request":{"method":"PUT","url":"Encounter/"}}]})",
       R"({"resourceType":"Encounter","identifier":"x","statusHistory":1,"period":[],"subject":"y","participant":{},"location":[[]],"diagnosis":null})",
       R"({"resourceType":"Immunization","vaccineCode":{"coding":"x"},"performer":[1],"protocolApplied":[[{}]],"status":[]})"}) {
    for (const char* type : {"", "Encounter", "Immunization", "Patient"}) {
      EXPECT_EQ(PostFhir(type, body).status, 400) << type << " " << body;
    }
  }
}

TEST_F(JunkTest, DeepNestingIsRefused) {
  for (const size_t depth : {65u, 1000u, 200'000u}) {
    const std::string arrays = std::string(depth, '[') + std::string(depth, ']');
    EXPECT_EQ(PostFhir("", arrays).status, 400);
    std::string objects;
    for (size_t i = 0; i < depth; ++i) objects += R"({"a":)";
    EXPECT_EQ(PostFhir("Encounter", objects + "1" + std::string(depth, '}')).status, 400);
    EXPECT_EQ(client->Post("/sandbox/v1/faults", arrays).status, 400);
  }
}

TEST_F(JunkTest, ABodyTooLargeIsRefused) {
  EXPECT_EQ(PostFhir("", std::string(5 << 20, ' ')).status, 413);
  std::string many = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (int i = 0; i < 501; ++i) many += i == 0 ? "{}" : ",{}";
  EXPECT_THAT(PostFhir("", many + "]}").body, HasSubstr("more than 500"));
}

TEST_F(JunkTest, OddQueriesAreAnswered) {
  for (const char* target :
       {"Encounter?identifier=", "Encounter?identifier=%7C", "Encounter?_count=-1",
        "Encounter?_count=99999999999999999999", "Encounter?_page_token=%00",
        "Encounter?=&&==", "Encounter?_page_token=zzzz", "Patient?identifier=x%7Cy", "Patient",
        "Practitioner", "Patient?name=%FF&birthdate=x&gender=y", "Observation?_lastUpdated=ge",
        "Observation?patient=Patient/"}) {
    const int status = GetFhir(target).status;
    EXPECT_TRUE(status == 200 || status == 400) << target << " " << status;
  }
  for (const char* path : {"/fhir-r4/v1//", "/fhir-r4/v1x", "/fhir-r4/v1/Encounter//",
                           "/fhir-r4/v1/../../etc/passwd", "/sandbox/v1", "/"}) {
    EXPECT_NE(client->Get(path).status, 0) << path;
  }
}

TEST_F(JunkTest, AnyByteOfATransactionMayBeWrong) {
  const std::string good = VisitTransaction(2, 2);
  std::mt19937 random(7);
  for (int i = 0; i < 600; ++i) {
    std::string bad = good;
    // A quote or brace in the wrong place breaks what follows; a cut breaks the end.
    const size_t at = random() % bad.size();
    switch (random() % 4) {
      case 0:
        bad[at] = static_cast<char>(random());
        break;
      case 1:
        bad.erase(at, 1 + random() % 40);
        break;
      case 2:
        bad.insert(at, 1, "{}[]\":,\\"[random() % 8]);
        break;
      default:
        bad.resize(at);
    }
    const HttpReply reply = PostFhir("Nothing", bad);
    EXPECT_EQ(reply.status, 404);
    // Not stored, whatever it was: another organisation's token.
    HttpReply real = client->Post(
        "/fhir-r4/v1", Altered(bad + " encounter/100027469", "encounter/100027469", "encounter/1"));
    EXPECT_EQ(real.status, 400) << bad;
  }
}

TEST(JsonPatch, StaysInsideItsTarget) {
  auto apply = [](const std::string& target, const std::string& operations) {
    JsonText document(target), patch(operations);
    const std::string wrong = ApplyJsonPatch(*patch.root(), *document.root(), document.pool());
    return wrong.empty() ? ToJson(*document.root()) : "! " + wrong;
  };
  const std::string target = R"({"a":[1,2],"b":{"c/d":"x"}})";
  EXPECT_EQ(apply(target, R"([{"op":"add","path":"/a/1","value":9}])"),
            R"({"a":[1,9,2],"b":{"c/d":"x"}})");
  EXPECT_EQ(apply(target, R"([{"op":"add","path":"/a/-","value":9}])"),
            R"({"a":[1,2,9],"b":{"c/d":"x"}})");
  EXPECT_EQ(
      apply(target, R"([{"op":"remove","path":"/a/0"},{"op":"test","path":"/a/0","value":2}])"),
      R"({"a":[2],"b":{"c/d":"x"}})");
  EXPECT_EQ(apply(target, R"([{"op":"replace","path":"/b/c~1d","value":"y"}])"),
            R"({"a":[1,2],"b":{"c/d":"y"}})");
  EXPECT_EQ(apply(target, R"([{"op":"move","from":"/b/c~1d","path":"/e"}])"),
            R"({"a":[1,2],"b":{},"e":"x"})");
  EXPECT_EQ(apply(target, R"([{"op":"copy","from":"/a","path":"/b/a"}])"),
            R"({"a":[1,2],"b":{"c/d":"x","a":[1,2]}})");
  for (const std::string path : {"/a/2", "/a/-", "/a/01", "/a/99999999999", "a", "/b/~2", "/x/y"}) {
    EXPECT_THAT(apply(target, fmt::format(R"([{{"op":"replace","path":"{}","value":1}}])", path)),
                HasSubstr("! operation 0"))
        << path;
  }
  EXPECT_THAT(apply(target, R"([{"op":"add","path":"/a/4","value":1}])"), HasSubstr("!"));
  EXPECT_THAT(apply(target, R"([{"op":"test","path":"/a/0","value":7}])"), HasSubstr("!"));
  EXPECT_THAT(apply(target, R"([{"op":"move","from":"/a","path":"/a/0"}])"), HasSubstr("!"));
}

}  // namespace
}  // namespace simpul::sandbox::testing
