// A sandbox in a folder of its own, and a client that has a token.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sandbox/json.h"
#include "sandbox/sandbox.h"
#include "tests/sandbox/samples.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_folder.h"

namespace simpul::sandbox::testing {

using simpul::testing::HttpClient;
using simpul::testing::HttpReply;
using simpul::testing::UrlEscaped;

class SandboxFixture : public ::testing::Test {
 protected:
  // Starts with the options set so far; again after Stop: the same folder.
  void Start() {
    options.data = folder / "data";
    auto started = Sandbox::Start(options);
    ASSERT_TRUE(started.ok()) << started.status();
    sandbox = *std::move(started);
    client = std::make_unique<HttpClient>(sandbox->address());
    UseTokenOf(*client, kOrganization);
  }
  void Stop() {
    client.reset();
    sandbox.reset();
  }

  // Without credentials the client id is the organisation.
  static void UseTokenOf(HttpClient& http, std::string_view organization,
                         std::string_view secret = "secret") {
    const HttpReply reply = http.Post(
        "/oauth2/v1/accesstoken?grant_type=client_credentials",
        "client_id=" + std::string(organization) + "&client_secret=" + std::string(secret),
        "application/x-www-form-urlencoded");
    ASSERT_EQ(reply.status, 200) << reply.body;
    JsonText json(reply.body);
    ASSERT_NE(json.root(), nullptr);
    http.SetHeader("Authorization",
                   "Bearer " + std::string(MemberText(*json.root(), "access_token")));
  }

  HttpReply PostFhir(std::string_view type, std::string_view body) {
    return client->Post("/fhir-r4/v1" + (type.empty() ? "" : "/" + std::string(type)), body);
  }
  HttpReply GetFhir(std::string_view target) {
    return client->Get("/fhir-r4/v1/" + std::string(target));
  }
  // Creates what must be taken; its id.
  std::string Create(std::string_view type, std::string_view body) {
    const HttpReply reply = PostFhir(type, body);
    EXPECT_EQ(reply.status, 201) << reply.body;
    JsonText json(reply.body);
    return json.root() == nullptr ? "" : std::string(MemberText(*json.root(), "id"));
  }
  std::string Report() { return client->Get("/sandbox/v1/report").body; }
  uint64_t SetFault(std::string_view rule) {
    const HttpReply reply = client->Post("/sandbox/v1/faults", rule);
    EXPECT_EQ(reply.status, 201) << reply.body;
    JsonText json(reply.body);
    return json.root() == nullptr ? 0 : Member(*json.root(), "id")->GetUint64();
  }

  simpul::testing::TempFolder folder;
  Sandbox::Options options;
  std::unique_ptr<Sandbox> sandbox;
  std::unique_ptr<HttpClient> client;
};

// The number of times `part` is in `text`.
inline int CountOf(std::string_view text, std::string_view part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace simpul::sandbox::testing
