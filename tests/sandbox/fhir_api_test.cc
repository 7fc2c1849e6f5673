// The FHIR API over HTTP: transactions, reads, updates, patches, searches, look-ups, tokens.

#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/sandbox/sandbox_fixture.h"

namespace simpul::sandbox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using ::testing::Not;

class FhirApiTest : public SandboxFixture {};

// The resourceIDs of a transaction's answer, in order.
std::vector<std::string> Ids(const std::string& body) {
  std::vector<std::string> ids;
  JsonText json(body);
  const Json* entries = json.root() == nullptr ? nullptr : Member(*json.root(), "entry");
  if (entries == nullptr) return ids;
  for (const Json& entry : entries->GetArray()) {
    ids.emplace_back(Text(Member(Member(&entry, "response"), "resourceID")));
  }
  return ids;
}

// ---- tokens

TEST_F(FhirApiTest, TokenHasThePlatformsShape) {
  Start();
  const HttpReply reply = client->Post("/oauth2/v1/accesstoken?grant_type=client_credentials",
                                       "client_id=100027469&client_secret=s%26%3Dx",
                                       "application/x-www-form-urlencoded");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body,
              AllOf(HasSubstr(R"("token_type":"BearerToken")"), HasSubstr(R"("expires_in":"3599")"),
                    HasSubstr(R"("client_id":"100027469")"), HasSubstr(R"("status":"approved")"),
                    HasSubstr(R"("developer.email":)"), HasSubstr(R"("issued_at":"1)")));
}

TEST_F(FhirApiTest, WrongSecretIsRefusedWithThePlatformsOddSeverity) {
  options.credentials = folder / "credentials.json";
  std::ofstream(options.credentials)
      << R"([{"organization":"100027469","client_id":"id-1","client_secret":"right"}])";
  options.data = folder / "data";
  auto started = Sandbox::Start(options);
  ASSERT_TRUE(started.ok()) << started.status();
  HttpClient http((*started)->address());
  const std::string target = "/oauth2/v1/accesstoken?grant_type=client_credentials";
  const HttpReply wrong =
      http.Post(target, "client_id=id-1&client_secret=wrong", "application/x-www-form-urlencoded");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(wrong.body,
              AllOf(HasSubstr(R"("severity":"invalid")"), HasSubstr(R"("code":"value")"),
                    HasSubstr("The user or system was not able to be authenticated")));
  EXPECT_EQ(http.Post(target, "client_secret=right", "application/x-www-form-urlencoded").status,
            401);
  EXPECT_EQ(http.Post("/oauth2/v1/accesstoken", "client_id=id-1&client_secret=right",
                      "application/x-www-form-urlencoded")
                .status,
            400);
  EXPECT_EQ(http.Get(target).status, 405);
  // The credential's organisation is not the client id.
  UseTokenOf(http, "id-1", "right");
  EXPECT_EQ(http.Post("/fhir-r4/v1/Encounter", Encounter("by-credential")).status, 201);
}

TEST_F(FhirApiTest, ABearerIsNeededAndExpires) {
  base::ManualClock clock(base::FromMicros(1'790'000'000'000'000));
  options.clock = &clock;
  Start();
  EXPECT_EQ(GetFhir("Encounter").status, 200);
  clock.Advance(std::chrono::seconds(3600));
  const HttpReply expired = GetFhir("Encounter");
  EXPECT_EQ(expired.status, 401);
  EXPECT_THAT(expired.body, HasSubstr("keymanagement.service.access_token_expired"));
  client->SetHeader("Authorization", "Bearer nonsense");
  EXPECT_THAT(GetFhir("Encounter").body, HasSubstr("keymanagement.service.invalid_access_token"));
  client->SetHeader("Authorization", "");
  EXPECT_EQ(GetFhir("Encounter").status, 401);
  UseTokenOf(*client, kOrganization);
  EXPECT_EQ(client->Delete("/sandbox/v1/tokens").status, 200);
  EXPECT_EQ(GetFhir("Encounter").status, 401);
}

// ---- single resources

TEST_F(FhirApiTest, CreateAnswersTheWholeResourceAndAnAddressNobodyCanFollow) {
  Start();
  const HttpReply reply = PostFhir("Encounter", Encounter("one"));
  EXPECT_EQ(reply.status, 201);
  EXPECT_THAT(reply.body, AllOf(HasSubstr(R"("versionId":)"), HasSubstr(R"("lastUpdated":)"),
                                HasSubstr(R"("value":"one")")));
  EXPECT_THAT(reply.headers.at("location"), HasSubstr(".invalid/"));
  EXPECT_FALSE(reply.headers.at("x-request-id").empty());
  EXPECT_FALSE(reply.headers.at("etag").empty());
}

TEST_F(FhirApiTest, WhatWasCreatedIsReadUpdatedAndPatched) {
  Start();
  const std::string id = Create("Encounter", Encounter("upd"));
  EXPECT_THAT(GetFhir("Encounter/" + id).body, HasSubstr(R"("status":"arrived")"));
  const std::string replaced =
      Altered(Altered(Encounter("upd"), R"("status":"arrived")", R"("status":"in-progress")"), "{",
              fmt::format(R"({{"id":"{}",)", id));
  EXPECT_EQ(client->Send("PUT", "/fhir-r4/v1/Encounter/" + id, replaced).status, 200);
  EXPECT_THAT(GetFhir("Encounter/" + id).body, HasSubstr(R"("status":"in-progress")"));

  const std::string patch = R"([{"op":"replace","path":"/status","value":"cancelled"},
      {"op":"add","path":"/statusHistory/-","value":{"status":"cancelled","period":{"start":"2026-01-05T02:00:00+00:00"}}}])";
  EXPECT_EQ(client->Send("PATCH", "/fhir-r4/v1/Encounter/" + id, patch).status, 415);
  const HttpReply patched =
      client->Send("PATCH", "/fhir-r4/v1/Encounter/" + id, patch, "application/json-patch+json");
  EXPECT_EQ(patched.status, 200) << patched.body;
  const std::string now = GetFhir("Encounter/" + id).body;
  EXPECT_THAT(now, AllOf(HasSubstr(R"("status":"cancelled")"), HasSubstr("T02:00:00+00:00")));
  EXPECT_THAT(Report(), AllOf(HasSubstr(R"("creates":{"Encounter":1})"),
                              HasSubstr(R"("updates":{"Encounter":2})")));
}

TEST_F(FhirApiTest, APatchIsHeldToTheSameRules) {
  Start();
  const std::string id = Create("Encounter", Encounter("patched"));
  const std::string target = "/fhir-r4/v1/Encounter/" + id;
  auto patch = [&](const std::string& operations) {
    return client->Send("PATCH", target, operations, "application/json-patch+json");
  };
  EXPECT_THAT(patch(R"([{"op":"remove","path":"/subject"}])").body, HasSubstr("10118"));
  EXPECT_THAT(patch(R"([{"op":"replace","path":"/status","value":"finished"}])").body,
              HasSubstr("10457"));
  EXPECT_EQ(patch(R"([{"op":"replace","path":"/nothing","value":1}])").status, 400);
  EXPECT_EQ(patch(R"([{"op":"jump","path":"/status"}])").status, 400);
  EXPECT_EQ(patch(R"([{"op":"replace","path":"/id","value":"other"}])").status, 400);
  EXPECT_EQ(patch("not json").status, 400);
  EXPECT_EQ(patch("[]").status, 400);
  EXPECT_THAT(GetFhir("Encounter/" + id).body, HasSubstr(R"("status":"arrived")"));
}

TEST_F(FhirApiTest, AnotherOrganisationMayReadButNotChange) {
  Start();
  const std::string id = Create("Encounter", Encounter("mine"));
  UseTokenOf(*client, "100000002");
  EXPECT_EQ(GetFhir("Encounter/" + id).status, 200);
  std::string theirs = Altered(Encounter("mine"), "encounter/100027469", "encounter/100000002");
  theirs = Altered(theirs, "{", fmt::format(R"({{"id":"{}",)", id));
  const HttpReply reply = client->Send("PUT", "/fhir-r4/v1/Encounter/" + id, theirs);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("resource cannot be accessed due to business rule"));
}

TEST_F(FhirApiTest, UnknownThingsAreNotFound) {
  Start();
  const HttpReply missing = GetFhir("Encounter/0");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("Resource not found Encounter/0 (RuleNumber: 20007)"));
  EXPECT_EQ(GetFhir("Basic/1").status, 404);
  EXPECT_EQ(
      client->Send("PUT", "/fhir-r4/v1/Encounter/0", Altered(Encounter("x"), "{", R"({"id":"0",)"))
          .status,
      404);
  EXPECT_EQ(client->Get("/nothing").status, 404);
  EXPECT_EQ(client->Delete("/fhir-r4/v1/Encounter/0").status, 405);
  EXPECT_THAT(GetFhir("Patient/P02478375538/$everything").body, HasSubstr("20014"));
  EXPECT_EQ(PostFhir("Practitioner", "{}").status, 403);
  EXPECT_THAT(client->Send("PATCH", "/fhir-r4/v1/Patient/P02478375538", "[]").body,
              HasSubstr("20016"));
}

// ---- duplicates

TEST_F(FhirApiTest, ADuplicateIsRefusedWithAndWithoutItsNumber) {
  Start();
  Create("Encounter", Encounter("dup"));
  const HttpReply first = PostFhir("Encounter", Encounter("dup"));
  EXPECT_EQ(first.status, 400);
  EXPECT_THAT(first.body,
              AllOf(HasSubstr(R"("code":"duplicate")"),
                    HasSubstr("Found duplicate resource: Encounter (RuleNumber: 20002)")));
  const HttpReply second = PostFhir("Encounter", Encounter("dup"));
  EXPECT_THAT(second.body,
              AllOf(HasSubstr(R"("code":"duplicate")"),
                    HasSubstr(R"("Found duplicate: Encounter")"), Not(HasSubstr("RuleNumber"))));
  // Another patient's resource with the same identifier is no duplicate.
  EXPECT_EQ(PostFhir("Encounter", Encounter("dup", "Patient/P00000000001")).status, 201);
  EXPECT_THAT(Report(), HasSubstr(R"("created_twice":[])"));
}

TEST_F(FhirApiTest, VisitsOfOneNumberInTwoPregnanciesAreNoDuplicates) {
  Start();
  constexpr std::string_view kFirstVisit =
      R"("identifier":[{"system":"http://terminology.kemkes.go.id/CodeSystem/episodeofcare/ANC","value":"K1"},)";
  const auto visit = [&](std::string_view local_id) {
    return Altered(Encounter(local_id), R"("identifier":[)", kFirstVisit);
  };
  const std::string a = Create("Encounter", visit("k1-of-2024"));
  const std::string b = Create("Encounter", visit("k1-of-2026"));
  EXPECT_THAT(Report(), HasSubstr(R"("created_twice":[])"));
  // The system's own identifier still makes a duplicate, and the number still finds both.
  EXPECT_THAT(PostFhir("Encounter", visit("k1-of-2026")).body, HasSubstr("duplicate"));
  EXPECT_THAT(GetFhir("Encounter?identifier=" +
                      UrlEscaped("http://terminology.kemkes.go.id/CodeSystem/episodeofcare/ANC|K1"))
                  .body,
              AllOf(HasSubstr(a), HasSubstr(b)));
  const std::string both = Transaction({{"00000000-0000-4000-8000-000000000001", visit("c")},
                                        {"00000000-0000-4000-8000-000000000002", visit("d")}});
  EXPECT_EQ(PostFhir("", both).status, 200);
}

TEST_F(FhirApiTest, WithoutTheCheckADuplicateIsCreatedAndReported) {
  options.duplicate_check = false;
  Start();
  const std::string a = Create("Encounter", Encounter("dup"));
  const std::string b = Create("Encounter", Encounter("dup"));
  Create("Encounter", Encounter("other"));
  Create("Immunization", Immunization("Encounter/" + a));
  Create("Immunization", Immunization("Encounter/" + b));
  Create("Immunization", Immunization("Encounter/" + b, 2));
  const std::string report = Report();
  EXPECT_THAT(report, HasSubstr(fmt::format(R"({{"type":"Encounter","count":2,"ids":["{}","{}"]}})",
                                            a, b)));
  EXPECT_EQ(CountOf(report, R"("type":)"), 2) << report;
  EXPECT_THAT(report, HasSubstr(R"("type":"Immunization","count":2)"));
  EXPECT_THAT(report, Not(HasSubstr("P02478375538")));

  EXPECT_EQ(client->Send("PUT", "/sandbox/v1/settings", R"({"duplicate_check":true})").status, 200);
  EXPECT_EQ(PostFhir("Encounter", Encounter("dup")).status, 400);
  EXPECT_EQ(client->Send("PUT", "/sandbox/v1/settings", R"({"nonsense":true})").status, 400);
}

TEST_F(FhirApiTest, TheSameVisitSentTwiceAtOnceIsTakenOnce) {
  Start();
  constexpr int kVisits = 20;
  std::atomic<int> taken = 0, refused = 0;
  auto send = [&] {
    HttpClient http(sandbox->address());
    UseTokenOf(http, kOrganization);
    for (int i = 0; i < kVisits; ++i) {
      const HttpReply reply = http.Post("/fhir-r4/v1", VisitTransaction(i));
      if (reply.status == 200) ++taken;
      if (reply.status == 400 && reply.body.find("duplicate") != std::string::npos) ++refused;
    }
  };
  std::thread a(send), b(send), c(send);
  a.join();
  b.join();
  c.join();
  EXPECT_EQ(taken, kVisits);
  EXPECT_EQ(refused, 2 * kVisits);
  EXPECT_THAT(Report(), AllOf(HasSubstr(R"("created_twice":[])"),
                              HasSubstr(fmt::format(R"("Encounter":{})", kVisits))));
}

// ---- transactions

TEST_F(FhirApiTest, ATransactionResolvesReferencesBothWays) {
  Start();
  const HttpReply reply = PostFhir("", VisitTransaction(7));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.body,
              AllOf(HasSubstr(R"("type":"transaction-response","total":10)"),
                    HasSubstr(R"("status":"201 Created")"), HasSubstr(R"("etag":"W/\"v)"),
                    HasSubstr(R"("lastModified":)"), HasSubstr(R"("location":"https://)")));
  const std::vector<std::string> ids = Ids(reply.body);
  ASSERT_EQ(ids.size(), 10u);
  const std::string encounter = GetFhir("Encounter/" + ids[0]).body;
  EXPECT_THAT(encounter, AllOf(HasSubstr("Condition/" + ids[1]), Not(HasSubstr("urn:uuid"))));
  EXPECT_THAT(GetFhir("Observation/" + ids[2]).body, HasSubstr("Encounter/" + ids[0]));
}

TEST_F(FhirApiTest, ATransactionIsAllOrNothing) {
  Start();
  std::string bundle = VisitTransaction(8);
  bundle = Altered(bundle, "visit-8-o3", "visit-8-o3\",\"use\":\"");
  const HttpReply reply = PostFhir("", bundle);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("invalid value (expected a use value)"));
  EXPECT_EQ(CountOf(reply.body, "RuleNumber: 20012"), 4) << reply.body;
  EXPECT_THAT(Report(), HasSubstr(R"("created":0)"));
}

TEST_F(FhirApiTest, WhatDependsOnAFailedEntrySaysSo) {
  Start();
  const HttpReply reply =
      PostFhir("", Altered(VisitTransaction(9), "encounter/100027469", "encounter/1"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("RuleNumber: 10117"));
  EXPECT_EQ(CountOf(reply.body,
                    "Invalid resource Observation due to previous error "
                    "(RuleNumber: 20013)"),
            8);
}

TEST_F(FhirApiTest, ADuplicateInATransactionStopsItAll) {
  Start();
  ASSERT_EQ(PostFhir("", VisitTransaction(10, 1)).status, 200);
  const HttpReply reply = PostFhir("", VisitTransaction(10, 3));
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr(R"("code":"duplicate")"));
  EXPECT_THAT(Report(), HasSubstr(R"("created":3)"));
  const HttpReply twice_inside = PostFhir(
      "", Transaction({{Uuid(11, 0), EpisodeOfCare("a")}, {Uuid(11, 1), EpisodeOfCare("a")}}));
  EXPECT_EQ(twice_inside.status, 400);
  EXPECT_THAT(twice_inside.body, HasSubstr("Found duplicate"));
}

TEST_F(FhirApiTest, ATransactionUpdatesAndCreatesTogether) {
  Start();
  const std::string id = Create("Encounter", Encounter("both"));
  const std::string updated =
      Altered(Altered(Encounter("both"), R"("status":"arrived")", R"("status":"in-progress")"), "{",
              fmt::format(R"({{"id":"{}",)", id));
  const std::string bundle = fmt::format(
      R"({{"resourceType":"Bundle","type":"transaction","entry":[
      {{"fullUrl":"urn:uuid:{}","resource":{},"request":{{"method":"PUT","url":"Encounter/{}"}}}},
      {{"fullUrl":"urn:uuid:{}","resource":{},"request":{{"method":"POST","url":"Observation"}}}}]}})",
      Uuid(12, 0), updated, id, Uuid(12, 1), Observation("both-o", "urn:uuid:" + Uuid(12, 0)));
  const HttpReply reply = PostFhir("", bundle);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.body, AllOf(HasSubstr(R"("status":"200 OK")"), HasSubstr("201 Created")));
  EXPECT_THAT(GetFhir("Observation/" + Ids(reply.body)[1]).body, HasSubstr("Encounter/" + id));
  EXPECT_THAT(GetFhir("Encounter/" + id).body, HasSubstr("in-progress"));
}

TEST_F(FhirApiTest, FullUrlsHaveTheirOwnRules) {
  Start();
  auto refusal = [&](std::string_view part, std::string_view by) {
    const HttpReply reply = PostFhir("", Altered(VisitTransaction(13, 1), part, by));
    EXPECT_EQ(reply.status, 400);
    return reply.body;
  };
  const std::string first = fmt::format(R"("fullUrl":"urn:uuid:{}")", Uuid(13, 0));
  EXPECT_THAT(refusal(first, R"("fullUrl":"urn:uuid-1")"), HasSubstr("RuleNumber: 20017"));
  EXPECT_THAT(refusal(first, R"("fullUrl":"Encounter/1")"), HasSubstr("RuleNumber: 20018"));
  EXPECT_THAT(refusal(first, R"("fullUrl":"urn:uuid:xyz")"), HasSubstr("RuleNumber: 20019"));
  EXPECT_THAT(refusal(first, R"("other":1)"), HasSubstr("RuleNumber: 20021"));
  EXPECT_THAT(PostFhir("", Transaction({{Uuid(13, 0), EpisodeOfCare("a")},
                                        {Uuid(13, 0), EpisodeOfCare("b")}}))
                  .body,
              HasSubstr("RuleNumber: 20020"));
  EXPECT_THAT(refusal(R"("method":"POST")", R"("method":"DELETE")"),
              HasSubstr("request.method must be POST or PUT"));
  EXPECT_THAT(refusal(R"("url":"Encounter")", R"("url":"Observation")"),
              HasSubstr("request.url must be Encounter"));
  EXPECT_THAT(refusal(R"("type":"transaction")", R"("type":"batch")"), HasSubstr("20008"));
  EXPECT_THAT(
      PostFhir("",
               Transaction({{Uuid(14, 0), R"({"resourceType":"Bundle","type":"transaction"})"}}))
          .body,
      HasSubstr("RuleNumber: 20011"));
  EXPECT_THAT(PostFhir("", Altered(VisitTransaction(15, 1), "urn:uuid:" + Uuid(15, 1) + "\"},",
                                   "urn:uuid:" + Uuid(99, 1) + "\"},"))
                  .body,
              HasSubstr("RuleNumber: 20007"));
}

// ---- searches

TEST_F(FhirApiTest, EverythingIsFoundByItsIdentifier) {
  Start();
  const std::string encounter = Create("Encounter", Encounter("find"));
  Create("Observation", Observation("find-o", "Encounter/" + encounter));
  const std::string found =
      GetFhir("Observation?identifier=" +
              UrlEscaped("http://sys-ids.kemkes.go.id/observation/100027469|find-o"))
          .body;
  EXPECT_THAT(found, AllOf(HasSubstr(R"("type":"searchset","total":1)"),
                           HasSubstr(R"("search":{"mode":"match"})"),
                           HasSubstr(R"("value":"find-o")"), HasSubstr("relation\":\"self\"")));
  const std::string none =
      GetFhir("Observation?identifier=" +
              UrlEscaped("http://sys-ids.kemkes.go.id/observation/100027469|other"))
          .body;
  EXPECT_THAT(none, AllOf(HasSubstr(R"("total":0)"), Not(HasSubstr("entry"))));
  const std::string answers =
      Create("QuestionnaireResponse", QuestionnaireResponse("find-q", "Encounter/" + encounter));
  EXPECT_THAT(GetFhir("QuestionnaireResponse?identifier=" +
                      UrlEscaped("http://sys-ids.kemkes.go.id/QuestionnaireResponse/"
                                 "100027469|find-q"))
                  .body,
              HasSubstr(answers));
}

TEST_F(FhirApiTest, AnUnknownParameterIsDroppedWithoutAWord) {
  Start();
  Create("EpisodeOfCare", EpisodeOfCare("mine"));
  Create("EpisodeOfCare", EpisodeOfCare("theirs", "Patient/P00000000001"));
  const std::string by_subject = GetFhir("EpisodeOfCare?subject=P02478375538").body;
  EXPECT_THAT(by_subject, AllOf(HasSubstr(R"("total":2)"), Not(HasSubstr("subject="))));
  const std::string by_patient =
      GetFhir("EpisodeOfCare?patient=P02478375538&type=ANC&status=active&organization=100027469")
          .body;
  EXPECT_THAT(by_patient, AllOf(HasSubstr(R"("total":1)"), HasSubstr("patient=P02478375538")));
  EXPECT_THAT(GetFhir("EpisodeOfCare?patient=Patient/P02478375538").body,
              HasSubstr(R"("total":1)"));
}

TEST_F(FhirApiTest, PagesFollowOneAnother) {
  Start();
  const std::string encounter = "Encounter/" + Create("Encounter", Encounter("pages"));
  for (int dose = 1; dose <= 5; ++dose) Create("Immunization", Immunization(encounter, dose));
  const std::string target = "Immunization?patient=P02478375538&_count=2";
  std::string page = GetFhir(target).body;
  int seen = 0, pages = 0;
  for (; pages < 10; ++pages) {
    EXPECT_THAT(page, HasSubstr(R"("total":5)"));
    seen += CountOf(page, R"("resourceType":"Immunization")");
    const size_t next = page.find(R"("relation":"next","url":")");
    if (next == std::string::npos) break;
    const size_t from = page.find("/fhir-r4/v1/", next) + 12;
    page = GetFhir(page.substr(from, page.find('"', from) - from)).body;
  }
  EXPECT_EQ(seen, 5);
  EXPECT_EQ(pages, 2);
}

TEST_F(FhirApiTest, SearchesFollowUpdates) {
  Start();
  const std::string id = Create("Encounter", Encounter("before"));
  ASSERT_EQ(client
                ->Send("PUT", "/fhir-r4/v1/Encounter/" + id,
                       Altered(Encounter("after"), "{", fmt::format(R"({{"id":"{}",)", id)))
                .status,
            200);
  auto total = [&](const std::string& value) {
    return GetFhir("Encounter?identifier=" +
                   UrlEscaped("http://sys-ids.kemkes.go.id/encounter/100027469|" + value))
        .body;
  };
  EXPECT_THAT(total("before"), HasSubstr(R"("total":0)"));
  EXPECT_THAT(total("after"), HasSubstr(R"("total":1)"));
}

// ---- people

TEST_F(FhirApiTest, WithoutAPopulationEveryWellFormedNikIsSomebody) {
  Start();
  const std::string target =
      "Patient?identifier=" + UrlEscaped("https://fhir.kemkes.go.id/id/nik|7324024501900001");
  const std::string body = GetFhir(target).body;
  EXPECT_THAT(body, AllOf(HasSubstr(R"("total":1)"), HasSubstr(R"("id":"P)"),
                          HasSubstr("################"), Not(HasSubstr("birthDate"))));
  EXPECT_EQ(GetFhir(target).body, body);
  EXPECT_THAT(GetFhir("Patient?identifier=" +
                      UrlEscaped("https://fhir.kemkes.go.id/id/nik|7324024501900000"))
                  .body,
              HasSubstr(R"("total":0)"));
  EXPECT_THAT(GetFhir("Patient?identifier=" +
                      UrlEscaped("https://fhir.kemkes.go.id/id/nik-ibu|7324024501900001") +
                      "&birthdate=2026-01-02")
                  .body,
              AllOf(HasSubstr(R"("total":1)"), HasSubstr(R"("birthDate":"2026-01-02")")));
  EXPECT_THAT(GetFhir("Patient?name=Siti&birthdate=1990-01-05&gender=female").body,
              HasSubstr(R"("total":1)"));
  EXPECT_THAT(GetFhir("Practitioner?identifier=" +
                      UrlEscaped("https://fhir.kemkes.go.id/id/nik|7324024501900001"))
                  .body,
              AllOf(HasSubstr(R"("total":1)"), HasSubstr("nakes-his-number")));
}

TEST_F(FhirApiTest, AStrangerIsUnknownWhereThereIsAPopulation) {
  options.population = folder / "population.json";
  std::ofstream(options.population)
      << R"({"nik":"7324024501900001","name":"Siti Contoh","birth_date":"1990-01-05","sex":"female","platform_id":"P00000000011"})"
      << "\n\n"
      << R"({"mother_nik":"7324024501900001","name":"Anak Satu","birth_date":"2026-01-02","sex":"male","birth_order":1,"platform_id":"P00000000012"})"
      << "\n"
      << R"({"mother_nik":"7324024501900001","name":"Anak Dua","birth_date":"2026-01-02","sex":"male","birth_order":2,"platform_id":"P00000000013"})"
      << "\n";
  Start();
  auto by = [&](const std::string& system, const std::string& number) {
    return GetFhir("Patient?identifier=" +
                   UrlEscaped("https://fhir.kemkes.go.id/id/" + system + "|" + number))
        .body;
  };
  EXPECT_THAT(by("nik", "7324024501900001"),
              AllOf(HasSubstr(R"("total":1)"), HasSubstr("P00000000011"), HasSubstr("S*** C*****"),
                    HasSubstr(R"("value":"################")")));
  EXPECT_THAT(by("nik", "7324024501900002"), HasSubstr(R"("total":0)"));
  EXPECT_THAT(by("nik-ibu", "7324024501900001"),
              AllOf(HasSubstr(R"("total":2)"), HasSubstr(R"("birthDate":"2026-01-02")"),
                    Not(HasSubstr("multipleBirth"))));
  EXPECT_THAT(by("ihs-number", "P00000000012"), HasSubstr(R"("total":1)"));
  EXPECT_THAT(GetFhir("Patient?name=anak%20dua&birthdate=2026-01-02&gender=male").body,
              HasSubstr("P00000000013"));
  EXPECT_EQ(GetFhir("Patient/P00000000012").status, 200);
  EXPECT_EQ(GetFhir("Patient/P00000000099").status, 404);
  EXPECT_THAT(PostFhir("Encounter", Encounter("e", "Patient/P00000000099")).body,
              HasSubstr("Resource not found Patient/P00000000099 (RuleNumber: 20007)"));
  EXPECT_EQ(PostFhir("Encounter", Encounter("e", "Patient/P00000000012")).status, 201);
}

TEST_F(FhirApiTest, TwinsAreToldApartByName) {
  const auto ids = [&](const std::string& more) {
    const std::string body =
        GetFhir("Patient?birthdate=2026-01-02&identifier=" +
                UrlEscaped("https://fhir.kemkes.go.id/id/nik-ibu|7324024501900001") + more)
            .body;
    std::vector<std::string> found;
    const std::string begin = R"("resourceType":"Patient","id":")";
    for (size_t at = body.find(begin); at != std::string::npos; at = body.find(begin, at + 1)) {
      found.push_back(body.substr(at + begin.size(), 12));
    }
    return found;
  };
  // Everybody is known: one child, and one of each name.
  Start();
  const auto any = ids(""), first = ids("&name=anak%20satu"), second = ids("&name=anak%20dua");
  ASSERT_EQ(any.size(), 1u);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(first, second);
  EXPECT_EQ(ids("&name=Anak%20Satu"), first);
  sandbox.reset();
  options.population = folder / "population.json";
  std::ofstream(options.population)
      << R"([{"mother_nik":"7324024501900001","name":"Anak Satu","birth_date":"2026-01-02","birth_order":1,"platform_id":"P00000000012"},
             {"mother_nik":"7324024501900001","name":"Anak Dua","birth_date":"2026-01-02","birth_order":2,"platform_id":"P00000000013"}])";
  Start();
  EXPECT_EQ(ids("").size(), 2u);
  EXPECT_EQ(ids("&name=anak%20dua"), std::vector<std::string>{"P00000000013"});
  EXPECT_TRUE(ids("&name=anak%20tiga").empty());
}

TEST_F(FhirApiTest, ANewbornIsCreatedOnceAndFoundByTheMother) {
  Start();
  const std::string mother = "7324024501900001";
  const HttpReply made = PostFhir("Patient", NewbornPatient(mother, "2026-01-02"));
  EXPECT_EQ(made.status, 200);
  EXPECT_THAT(made.body, AllOf(HasSubstr(R"("success":true)"),
                               HasSubstr("New Patient has been created successfully"),
                               HasSubstr(R"("Patient ID:":"P)")));
  const HttpReply again = PostFhir("Patient", NewbornPatient(mother, "2026-01-02"));
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(again.body, AllOf(HasSubstr(R"("success":false)"),
                                HasSubstr("Patient Resource Exists"), HasSubstr("resourceID")));
  EXPECT_THAT(PostFhir("Patient", NewbornPatient(mother, "2026-01-02", 2)).body,
              HasSubstr(R"("success":true)"));
  EXPECT_THAT(
      GetFhir("Patient?identifier=" + UrlEscaped("https://fhir.kemkes.go.id/id/nik-ibu|" + mother))
          .body,
      HasSubstr(R"("total":2)"));
  EXPECT_THAT(PostFhir("Patient", NewbornPatient("7324020501900001", "2026-01-02")).body,
              HasSubstr("Patient with nik-ibu is not female"));
  EXPECT_THAT(PostFhir("Patient",
                       Altered(NewbornPatient(mother, "2026-02-02"), R"("address")", R"("home")"))
                  .body,
              HasSubstr("10333"));
  Stop();
  Start();
  EXPECT_THAT(
      GetFhir("Patient?identifier=" + UrlEscaped("https://fhir.kemkes.go.id/id/nik-ibu|" + mother))
          .body,
      HasSubstr(R"("total":2)"));
}

TEST_F(FhirApiTest, OrganisationsAndPlacesAreTheirOwn) {
  Start();
  EXPECT_EQ(GetFhir("Organization/100027469").status, 200);
  EXPECT_EQ(GetFhir("Location/b017aa54-f1df-4ec2-9d84-8823815d7228").status, 200);
  const std::string id = Create(
      "Location",
      R"({"resourceType":"Location","status":"active","name":"Posyandu Melati","identifier":[{"system":"http://sys-ids.kemkes.go.id/location/100027469","value":"P1"}],"managingOrganization":{"reference":"Organization/100027469"}})");
  EXPECT_THAT(GetFhir("Location?organization=100027469").body, HasSubstr(id));
}

}  // namespace
}  // namespace simpul::sandbox::testing
