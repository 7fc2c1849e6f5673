// The bytes of protobuf messages, read and written without building the messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace simpul::base {

// How a field is laid out. Groups are no part of proto3.
enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

inline void PutVarint(std::string& out, uint64_t value) {
  char bytes[10];
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}

inline size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

inline void PutTag(std::string& out, uint32_t field, WireType type) {
  PutVarint(out, field << 3 | static_cast<uint32_t>(type));
}

// A number, an enum or a bool as proto3 writes it: left out when it is 0.
inline void PutNumberField(std::string& out, uint32_t field, uint64_t value) {
  if (value == 0) return;
  PutTag(out, field, WireType::kVarint);
  PutVarint(out, value);
}

// A message, or an element of a list: written even when it is empty.
inline void PutMessageField(std::string& out, uint32_t field, std::string_view bytes) {
  PutTag(out, field, WireType::kBytes);
  PutVarint(out, bytes.size());
  out.append(bytes);
}

// A string or bytes as proto3 writes them: left out when they are empty.
inline void PutBytesField(std::string& out, uint32_t field, std::string_view bytes) {
  if (!bytes.empty()) PutMessageField(out, field, bytes);
}

// Takes a number off the front; nullopt when there is none of at most `bytes_max` bytes.
inline std::optional<uint64_t> TakeVarint(std::string_view& bytes, size_t bytes_max = 10) {
  // Nearly all are of one byte.
  if (!bytes.empty() && static_cast<uint8_t>(bytes.front()) < 0x80) {
    const auto value = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    return value;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size() && i < bytes_max; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

// Takes a length and as many bytes.
inline std::optional<std::string_view> TakeBytes(std::string_view& bytes) {
  const std::optional<uint64_t> size = TakeVarint(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const std::string_view content = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return content;
}

// A field as it lies in the bytes.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      // of a varint
  std::string_view bytes;  // of kBytes
};

// Takes the content that follows a tag, by the field's type. False when it is cut short, or of a
// type that proto3 does not have.
inline bool TakeContent(std::string_view& bytes, WireField& field) {
  switch (field.type) {
    case WireType::kVarint:
      if (const std::optional<uint64_t> value = TakeVarint(bytes)) {
        field.value = *value;
        return true;
      }
      return false;
    case WireType::kBytes:
      if (const std::optional<std::string_view> content = TakeBytes(bytes)) {
        field.bytes = *content;
        return true;
      }
      return false;
    case WireType::kFixed64:
    case WireType::kFixed32: {
      const size_t size = field.type == WireType::kFixed64 ? 8 : 4;
      if (bytes.size() < size) return false;
      bytes.remove_prefix(size);
      return true;
    }
  }
  return false;
}

// Reads the fields of a message one after another.
//
//   for (WireReader in(bytes); in.Next();) switch (in.field().number) ...
//   if (!in.ok()) it was damaged
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : left_(bytes) {}

  // False at the end and at damage.
  bool Next() {
    if (left_.empty() || !ok_) return false;
    const std::optional<uint64_t> tag = TakeVarint(left_, 5);
    if (!tag || *tag > UINT32_MAX || *tag >> 3 == 0) return ok_ = false;
    is_in_order_ = is_in_order_ && *tag >> 3 > field_.number;
    field_.number = static_cast<uint32_t>(*tag >> 3);
    field_.type = static_cast<WireType>(*tag & 7);
    return ok_ = TakeContent(left_, field_);
  }

  const WireField& field() const { return field_; }
  // No damage so far.
  bool ok() const { return ok_; }
  // Every field so far had a greater number than the one before: none came twice.
  bool is_in_order() const { return is_in_order_; }

 private:
  std::string_view left_;
  WireField field_;
  bool ok_ = true;
  bool is_in_order_ = true;
};

}  // namespace simpul::base
