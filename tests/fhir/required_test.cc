// What the platform requires of each resource, over every golden Bundle. Source: its validation
// dictionary, and what its own samples always carry.

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "lib/base/check.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"

namespace simpul::fhir {
namespace {

using Json = rapidjson::Value;

struct Bundle {
  std::string name;
  rapidjson::Document json;
};

std::vector<Bundle> Bundles() {
  const char* source = std::getenv("SIMPUL_SOURCE_DIR");
  SIMPUL_CHECK(source != nullptr, "SIMPUL_SOURCE_DIR is not set: run this through ctest.");
  std::vector<Bundle> bundles;
  for (const auto& found : std::filesystem::directory_iterator(std::filesystem::path(source) /
                                                               "tests" / "data" / "fhir")) {
    if (found.path().extension() != ".json") continue;
    std::ifstream file(found.path(), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    Bundle& bundle = bundles.emplace_back();
    bundle.name = found.path().stem();
    bundle.json.Parse(text.str().c_str());
  }
  return bundles;
}

// Every resource of every golden Bundle.
void EachResource(const std::function<void(const Bundle&, const Json& entry, const Json&)>& check) {
  const auto bundles = Bundles();
  ASSERT_GT(bundles.size(), 20u);
  for (const Bundle& bundle : bundles) {
    ASSERT_TRUE(bundle.json.IsObject()) << bundle.name;
    ASSERT_TRUE(bundle.json.HasMember("entry")) << bundle.name;
    for (const Json& entry : bundle.json["entry"].GetArray()) {
      check(bundle, entry, entry["resource"]);
    }
  }
}

std::string_view Text(const Json& json) { return {json.GetString(), json.GetStringLength()}; }

std::string_view TypeOf(const Json& resource) { return Text(resource["resourceType"]); }

// The value at a dotted path; lists are followed into each of their elements, all of which must
// have it.
bool Has(const Json& json, std::string_view path) {
  if (json.IsArray()) {
    if (json.Empty()) return false;
    for (const Json& element : json.GetArray()) {
      if (!Has(element, path)) return false;
    }
    return true;
  }
  if (path.empty()) return true;
  const size_t dot = path.find('.');
  const std::string name(path.substr(0, dot));
  if (!json.IsObject() || !json.HasMember(name.c_str())) return false;
  return Has(json[name.c_str()],
             dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1));
}

void Walk(const Json& json, const std::function<void(std::string_view, const Json&)>& visit,
          std::string_view name = "") {
  visit(name, json);
  if (json.IsArray()) {
    for (const Json& element : json.GetArray()) Walk(element, visit, name);
  } else if (json.IsObject()) {
    for (const auto& member : json.GetObject()) Walk(member.value, visit, Text(member.name));
  }
}

TEST(Required, EveryResourceHasWhatThePlatformDemands) {
  const std::map<std::string_view, std::vector<std::string_view>> required = {
      {"Encounter",
       {"identifier.system",
        "identifier.value",
        "status",
        "class.system",
        "class.code",
        "subject",
        "participant.individual",
        "participant.type.coding.code",
        "period.start",
        "period.end",
        "location.location.reference",
        "location.period.start",
        "location.period.end",
        "statusHistory.status",
        "statusHistory.period.start",
        "statusHistory.period.end",
        "serviceProvider",
        "diagnosis.condition",
        "diagnosis.use.coding.code",
        "diagnosis.rank",
        "hospitalization.dischargeDisposition.coding.code"}},
      {"Condition",
       {"identifier.value", "category.coding.code", "code.coding.system", "code.coding.code",
        "subject", "encounter", "recordedDate"}},
      {"Observation",
       {"identifier.value", "status", "category.coding.code", "code.coding.system",
        "code.coding.code", "subject", "encounter", "effectiveDateTime", "issued", "performer"}},
      {"Procedure",
       {"identifier.value", "status", "category.coding.code", "code.coding.code", "subject",
        "encounter", "performedDateTime", "performer.actor"}},
      {"Immunization",
       {"status", "vaccineCode.coding.code", "patient", "encounter", "occurrenceDateTime",
        "recorded", "primarySource", "reasonCode.coding.code", "performer.actor",
        "performer.function.coding.code", "protocolApplied.doseNumberPositiveInt"}},
      {"MedicationStatement",
       {"identifier.value", "status", "category.coding.code", "medicationCodeableConcept.coding",
        "subject", "context", "effectiveDateTime", "dateAsserted", "informationSource"}},
      {"QuestionnaireResponse",
       {"identifier.value", "questionnaire", "status", "subject", "encounter", "authored", "author",
        "source", "item.linkId"}},
      {"ServiceRequest",
       {"identifier.value", "status", "intent", "priority", "category.coding.code",
        "code.coding.code", "subject", "encounter", "occurrenceDateTime", "authoredOn", "requester",
        "performer"}},
      {"EpisodeOfCare",
       {"identifier.value", "status", "statusHistory.period.start", "type.coding.code", "patient",
        "managingOrganization", "period.start"}},
  };
  std::set<std::string_view> seen;
  EachResource([&](const Bundle& bundle, const Json&, const Json& resource) {
    const auto found = required.find(TypeOf(resource));
    ASSERT_NE(found, required.end()) << bundle.name << ": " << TypeOf(resource);
    seen.insert(found->first);
    for (std::string_view path : found->second) {
      EXPECT_TRUE(Has(resource, path)) << bundle.name << ": " << found->first << "." << path;
    }
  });
  EXPECT_EQ(seen.size(), required.size());
}

TEST(Required, AFinishedEncounterHasThreeStatusesThatFollowEachOther) {
  EachResource([](const Bundle& bundle, const Json&, const Json& resource) {
    if (TypeOf(resource) != "Encounter") return;
    const auto history = resource["statusHistory"].GetArray();
    ASSERT_EQ(history.Size(), 3u) << bundle.name;
    EXPECT_EQ(Text(history[0]["status"]), "arrived");
    EXPECT_EQ(Text(history[1]["status"]), "in-progress");
    EXPECT_EQ(Text(history[2]["status"]), "finished");
    EXPECT_EQ(history[0]["period"]["start"], resource["period"]["start"]);
    EXPECT_EQ(history[0]["period"]["end"], history[1]["period"]["start"]);
    EXPECT_EQ(history[1]["period"]["end"], history[2]["period"]["start"]);
    EXPECT_EQ(history[2]["period"]["end"], resource["period"]["end"]);
    for (const Json& status : history) {
      EXPECT_LT(Text(status["period"]["start"]), Text(status["period"]["end"])) << bundle.name;
    }
  });
}

TEST(Required, AnObservationHasOneValueAndAPractitioner) {
  EachResource([](const Bundle& bundle, const Json&, const Json& resource) {
    if (TypeOf(resource) != "Observation") return;
    int values = 0;
    for (const auto& member : resource.GetObject())
      values += Text(member.name).starts_with("value");
    EXPECT_EQ(values, 1) << bundle.name;
    for (const Json& performer : resource["performer"].GetArray()) {
      const bool by_id = performer.HasMember("reference") &&
                         Text(performer["reference"]).starts_with("Practitioner/");
      const bool by_identifier =
          performer.HasMember("type") && Text(performer["type"]) == "Practitioner";
      EXPECT_TRUE(by_id || by_identifier) << bundle.name;
    }
  });
}

TEST(Required, AConditionHasOneStatusOrTheOther) {
  EachResource([](const Bundle& bundle, const Json&, const Json& resource) {
    if (TypeOf(resource) != "Condition") return;
    const bool in_error =
        resource.HasMember("verificationStatus") &&
        Text(resource["verificationStatus"]["coding"][0]["code"]) == "entered-in-error";
    EXPECT_NE(resource.HasMember("clinicalStatus"), in_error) << bundle.name;
  });
}

TEST(Required, AnImmunisationGivenHereHasPlaceLotAndExpiry) {
  EachResource([](const Bundle& bundle, const Json&, const Json& resource) {
    if (TypeOf(resource) != "Immunization") return;
    const bool done = Text(resource["status"]) == "completed";
    if (Text(resource["status"]) == "not-done") {
      EXPECT_TRUE(Has(resource, "statusReason.coding.code")) << bundle.name;
    }
    if (done && resource["primarySource"].GetBool()) {
      EXPECT_TRUE(Has(resource, "location.reference")) << bundle.name;
      EXPECT_TRUE(Has(resource, "lotNumber")) << bundle.name;
      EXPECT_GT(Text(resource["expirationDate"]), Text(resource["occurrenceDateTime"]));
    }
    if (!resource["primarySource"].GetBool()) {
      EXPECT_EQ(Text(resource["performer"][0]["function"]["coding"][0]["code"]), "EP");
      EXPECT_TRUE(Has(resource, "reportOrigin.coding.code")) << bundle.name;
      EXPECT_FALSE(Has(resource, "location")) << bundle.name;
    }
  });
}

TEST(Required, TimesAreUtcAndNothingIsEmpty) {
  EachResource([](const Bundle& bundle, const Json&, const Json& resource) {
    Walk(resource, [&](std::string_view name, const Json& json) {
      if (json.IsArray()) {
        EXPECT_FALSE(json.Empty()) << bundle.name << ": " << name;
      }
      if (json.IsObject()) {
        EXPECT_FALSE(json.ObjectEmpty()) << bundle.name << ": " << name;
      }
      EXPECT_FALSE(json.IsNull()) << bundle.name << ": " << name;
      if (!json.IsString()) return;
      const std::string_view text = Text(json);
      EXPECT_FALSE(text.empty()) << bundle.name << ": " << name;
      const bool is_time = name == "start" || name == "end" || name == "issued" ||
                           name == "recorded" || name == "authored" || name == "authoredOn" ||
                           name == "recordedDate" || name == "dateAsserted" ||
                           name.ends_with("DateTime");
      if (is_time) {
        EXPECT_EQ(text.size(), 25u) << bundle.name << ": " << name;
        EXPECT_TRUE(text.ends_with("+00:00")) << bundle.name << ": " << name;
      }
    });
  });
}

TEST(Required, EveryPartIsFoundByItsOwnIdentifier) {
  EachResource([](const Bundle& bundle, const Json& entry, const Json& resource) {
    const std::string_view full_url = Text(entry["fullUrl"]);
    ASSERT_TRUE(full_url.starts_with("urn:uuid:")) << bundle.name;
    const std::string_view key = full_url.substr(9);
    EXPECT_TRUE(base::IsUuid(key)) << bundle.name;
    if (TypeOf(resource) == "Immunization") return;
    const Json& identifier =
        resource["identifier"].IsArray() ? resource["identifier"][0] : resource["identifier"];
    EXPECT_EQ(Text(identifier["value"]), key) << bundle.name;
    EXPECT_TRUE(Text(identifier["system"]).ends_with("/100027469")) << bundle.name;
  });
}

TEST(Required, EveryReferenceLeadsSomewhere) {
  for (const Bundle& bundle : Bundles()) {
    std::set<std::string_view> keys;
    for (const Json& entry : bundle.json["entry"].GetArray()) {
      EXPECT_TRUE(keys.insert(Text(entry["fullUrl"])).second) << bundle.name;
    }
    Walk(bundle.json, [&](std::string_view name, const Json& json) {
      if (name != "reference" || !Text(json).starts_with("urn:")) return;
      EXPECT_TRUE(keys.contains(Text(json))) << bundle.name << ": " << Text(json);
    });
  }
}

TEST(Required, NobodysNumberGoesToThePlatformInABundle) {
  for (const Bundle& bundle : Bundles()) {
    if (Text(bundle.json["type"]) != "transaction") continue;
    Walk(bundle.json, [&](std::string_view name, const Json& json) {
      if (!json.IsString() || name == "fullUrl" || name == "url") return;
      if (name == "value" || name == "reference" || name == "id") return;  // UUIDs
      EXPECT_FALSE(base::LooksLikeNik(Text(json))) << bundle.name << ": " << name;
    });
  }
}

}  // namespace
}  // namespace simpul::fhir
