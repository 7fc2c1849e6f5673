// HTTP/2 (RFC 9113) as bytes: for callers that no library would be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace simpul::rpc {

enum class FrameType : char {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kContinuation = 9,
};
inline constexpr char kEndStream = 1;
inline constexpr char kEndHeaders = 4;

inline std::string Frame(FrameType type, char flags, uint32_t stream, std::string_view payload) {
  std::string frame;
  const auto length = static_cast<uint32_t>(payload.size());
  for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(length >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(flags);
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  frame += payload;
  return frame;
}

// What a client says first.
inline std::string Greeting() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(FrameType::kSettings, 0, 0, "");
}

// The header block of a gRPC call (HPACK, RFC 7541), every field in full.
inline std::string CallHeaders(std::string_view path) {
  const auto literal = [](std::string_view name, std::string_view value) {
    std::string field(1, '\0');
    for (const std::string_view text : {name, value}) {
      field.push_back(static_cast<char>(text.size()));
      field += text;
    }
    return field;
  };
  return literal(":method", "POST") + literal(":scheme", "http") + literal(":path", path) +
         literal(":authority", "test") + literal("te", "trailers") +
         literal("content-type", "application/grpc");
}

}  // namespace simpul::rpc
