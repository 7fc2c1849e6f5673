#include "simpul/backup_manifest.h"

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <optional>
#include <vector>

#include "simpul/output.h"

namespace simpul::cli {
namespace {

constexpr uint64_t kFormat = 1;

std::optional<std::string> TextOf(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject() || !object.HasMember(name) || !object[name].IsString()) return {};
  return std::string(object[name].GetString(), object[name].GetStringLength());
}

std::optional<uint64_t> CountOf(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject() || !object.HasMember(name) || !object[name].IsUint64()) return {};
  return object[name].GetUint64();
}

std::optional<eventlog::Topic> TopicOf(const std::string& name) {
  for (const eventlog::Topic topic : eventlog::kTopics) {
    if (eventlog::TopicName(topic) == name) return topic;
  }
  return {};
}

absl::Status Spoilt(std::string_view what) {
  return absl::DataLossError(fmt::format("backup.json is damaged: {}", what));
}

}  // namespace

int64_t BackupManifest::records() const {
  int64_t sum = 0;
  for (const auto& [place, kept] : places) sum += kept.records;
  return sum;
}

uint64_t BackupManifest::bytes() const {
  uint64_t sum = 0;
  for (const auto& [name, content] : files) sum += content.bytes;
  return sum;
}

std::string ToJson(const BackupManifest& manifest) {
  std::vector<std::string> places, files;
  for (const auto& [place, kept] : manifest.places) {
    places.push_back(JsonLine()
                         .Text("topic", eventlog::TopicName(place.topic))
                         .Count("partition", place.partition)
                         .Number("records", kept.records)
                         .Text("digest", kept.digest)
                         .Take());
  }
  for (const auto& [name, content] : manifest.files) {
    files.push_back(JsonLine()
                        .Text("name", name)
                        .Count("bytes", content.bytes)
                        .Text("sha256", content.sha256)
                        .Take());
  }
  return JsonLine()
      .Count("format", kFormat)
      .Text("made_at", manifest.made_at)
      .Text("install", manifest.install_id)
      .Count("partitions", manifest.partitions)
      .Text("secret_fingerprint", manifest.secret_fingerprint)
      .RawList("places", places)
      .RawList("files", files)
      .Take();
}

absl::StatusOr<BackupManifest> ParseManifest(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return Spoilt("it is no JSON object");
  const auto format = CountOf(document, "format");
  if (!format) return Spoilt("it has no format");
  if (*format != kFormat) {
    return absl::FailedPreconditionError(fmt::format(
        "the backup has format {}, and this Simpul reads {}: upgrade it", *format, kFormat));
  }
  BackupManifest manifest;
  const auto made_at = TextOf(document, "made_at"), install = TextOf(document, "install"),
             fingerprint = TextOf(document, "secret_fingerprint");
  const auto partitions = CountOf(document, "partitions");
  if (!made_at || !install || !fingerprint || !partitions || !document.HasMember("places") ||
      !document["places"].IsArray() || !document.HasMember("files") ||
      !document["files"].IsArray()) {
    return Spoilt("something is missing");
  }
  manifest.made_at = *made_at;
  manifest.install_id = *install;
  manifest.secret_fingerprint = *fingerprint;
  manifest.partitions = static_cast<uint32_t>(*partitions);
  for (const rapidjson::Value& row : document["places"].GetArray()) {
    const auto name = TextOf(row, "topic"), digest = TextOf(row, "digest");
    const auto partition = CountOf(row, "partition"), records = CountOf(row, "records");
    const auto topic = name ? TopicOf(*name) : std::nullopt;
    if (!topic || !digest || !partition || !records) return Spoilt("a place");
    manifest.places[{*topic, static_cast<uint32_t>(*partition)}] = {static_cast<int64_t>(*records),
                                                                    *digest};
  }
  for (const rapidjson::Value& row : document["files"].GetArray()) {
    const auto name = TextOf(row, "name"), sha256 = TextOf(row, "sha256");
    const auto bytes = CountOf(row, "bytes");
    // Nothing outside the folder is ever named.
    if (!name || name->empty() || name->find('/') != std::string::npos || *name == ".." ||
        *name == "." || !sha256 || !bytes) {
      return Spoilt("a file");
    }
    manifest.files[*name] = {*bytes, *sha256};
  }
  return manifest;
}

}  // namespace simpul::cli
