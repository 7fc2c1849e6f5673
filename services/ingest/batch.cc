#include "ingest/batch.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>

#include <climits>

#include "lib/base/status_macros.h"
#include "lib/event/validate.h"

namespace simpul::ingest {
namespace {

using google::protobuf::io::CodedInputStream;

// Tag and length of an event: one byte, and at most five.
constexpr size_t kFrameBytesMax = 6;
constexpr uint32_t kEventsTag = 1 << 3 | 2;

absl::Status TooLarge(size_t bytes) {
  return absl::InvalidArgumentError(
      fmt::format("The batch has {} bytes; at most {} are taken in one call. Nothing was written. "
                  "Send it in smaller batches.",
                  bytes, event::kBatchBytesMax));
}

absl::Status NoBatch() {
  return absl::InvalidArgumentError(
      "The message is no SubmitEventsRequest. Nothing was written. Build it from "
      "protos/simpul/ingest/v1/ingest.proto.");
}

// Passes over a field of any kind but a group; false when it is cut short.
bool SkipField(CodedInputStream& in, uint32_t tag) {
  uint64_t number = 0;
  uint32_t size = 0;
  switch (tag & 7) {
    case 0:
      return in.ReadVarint64(&number);
    case 1:
      return in.Skip(8);
    case 2:
      return in.ReadVarint32(&size) && size <= INT_MAX && in.Skip(static_cast<int>(size));
    case 5:
      return in.Skip(4);
    default:
      return false;
  }
}

}  // namespace

absl::Status CheckRequestBytes(size_t bytes) {
  if (bytes <= event::kBatchBytesMax + event::kBatchEventsMax * kFrameBytesMax) {
    return absl::OkStatus();
  }
  return TooLarge(bytes);
}

absl::StatusOr<std::vector<std::string_view>> SplitBatch(std::string_view request) {
  SIMPUL_RETURN_IF_ERROR(CheckRequestBytes(request.size()));
  CodedInputStream in(reinterpret_cast<const uint8_t*>(request.data()),
                      static_cast<int>(request.size()));
  std::vector<std::string_view> events;
  size_t count = 0;
  size_t event_bytes = 0;
  uint32_t unknown_field = 0;
  while (in.CurrentPosition() < static_cast<int>(request.size())) {
    const uint32_t tag = in.ReadTagNoLastTag();
    if (tag >> 3 == 0) return NoBatch();
    if (tag >> 3 != 1) {
      unknown_field = tag >> 3;
      if (!SkipField(in, tag)) return NoBatch();
      continue;
    }
    uint32_t size = 0;
    if (tag != kEventsTag || !in.ReadVarint32(&size)) return NoBatch();
    const auto start = static_cast<size_t>(in.CurrentPosition());
    if (size > request.size() - start) return NoBatch();
    if (++count <= event::kBatchEventsMax) events.push_back(request.substr(start, size));
    event_bytes += size;
    in.Skip(static_cast<int>(size));
  }
  if (unknown_field != 0) {
    return absl::InvalidArgumentError(
        fmt::format("The request has a field {} that this Simpul does not know: it is older than "
                    "your program. Nothing was written. Keep the events and send them again once "
                    "Simpul is newer.",
                    unknown_field));
  }
  if (count == 0) {
    return absl::InvalidArgumentError(
        fmt::format("The batch holds no event. Send 1 to {}.", event::kBatchEventsMax));
  }
  if (count > event::kBatchEventsMax) {
    return absl::InvalidArgumentError(
        fmt::format("The batch holds {} events; at most {} are taken in one call. Nothing was "
                    "written. Send it in smaller batches.",
                    count, event::kBatchEventsMax));
  }
  if (event_bytes > event::kBatchBytesMax) return TooLarge(event_bytes);
  return events;
}

}  // namespace simpul::ingest
