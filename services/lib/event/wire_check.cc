#include "lib/event/wire_check.h"

#include <google/protobuf/descriptor.h>

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/wire.h"

namespace simpul::event {
namespace {

using base::TakeBytes;
using base::TakeVarint;
using base::WireType;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// An event in a correction in an event, and the deepest payload within; more than that is refused
// by meaning anyway.
constexpr int kDepthMax = 12;
constexpr size_t kRepeatedMax = 8;

struct MessageTable;

// What the walk needs to know about a field.
struct FieldRow {
  bool known = false;
  bool text = false;
  bool enumeration = false;
  int8_t repeated_slot = -1;
  WireType wire = WireType::kVarint;
  uint32_t choices = 0;  // bit n: choice n exists
  std::string_view name;
  const MessageTable* message = nullptr;
};

struct MessageTable {
  std::vector<FieldRow> rows;  // by number
};

// The tables of the event and of everything within, made once from the descriptors.
class Tables {
 public:
  Tables() : event_(Of(v1::Event::descriptor())) {}
  const MessageTable& event() const { return *event_; }

 private:
  const MessageTable* Of(const Descriptor* descriptor) {
    auto& slot = tables_[descriptor];
    if (slot != nullptr) return slot.get();
    slot = std::make_unique<MessageTable>();
    MessageTable* const table = slot.get();  // references into the map stay, but it grows below
    int8_t repeated = 0;
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      const auto number = static_cast<size_t>(field->number());
      if (table->rows.size() <= number) table->rows.resize(number + 1);
      FieldRow row = RowOf(field);
      if (field->is_repeated()) row.repeated_slot = repeated++;
      table->rows[number] = row;
    }
    SIMPUL_CHECK(repeated <= static_cast<int>(kRepeatedMax), "{} has too many lists.",
                 descriptor->full_name());
    return table;
  }

  FieldRow RowOf(const FieldDescriptor* field) {
    FieldRow row;
    row.known = true;
    row.name = field->name();
    switch (field->type()) {
      case FieldDescriptor::TYPE_MESSAGE:
        row.wire = WireType::kBytes;
        row.message = Of(field->message_type());
        break;
      case FieldDescriptor::TYPE_STRING:
        row.wire = WireType::kBytes;
        row.text = true;
        break;
      case FieldDescriptor::TYPE_ENUM:
        row.enumeration = true;
        for (int i = 0; i < field->enum_type()->value_count(); ++i) {
          const int number = field->enum_type()->value(i)->number();
          SIMPUL_CHECK(number < 32, "{} has too many choices.", field->full_name());
          row.choices |= 1u << number;
        }
        break;
      case FieldDescriptor::TYPE_BOOL:
      case FieldDescriptor::TYPE_INT32:
      case FieldDescriptor::TYPE_INT64:
      case FieldDescriptor::TYPE_UINT32:
      case FieldDescriptor::TYPE_UINT64:
      case FieldDescriptor::TYPE_SINT32:
      case FieldDescriptor::TYPE_SINT64:
        break;
      default:
        SIMPUL_CHECK(false, "{} has a type that events do not use.", field->full_name());
    }
    SIMPUL_CHECK(!field->is_repeated() || row.wire == WireType::kBytes, "{} would be packed.",
                 field->full_name());
    return row;
  }

  std::map<const Descriptor*, std::unique_ptr<MessageTable>> tables_;
  const MessageTable* event_;
};

class Walk {
 public:
  explicit Walk(WireFindings& out) : out_(out) {}

  // False when the rest cannot be read.
  bool Message(const MessageTable& table, std::string_view bytes, const Path& here, int depth) {
    if (depth > kDepthMax) {
      AddFinal("event.too_deep", here);
      return false;
    }
    std::array<int, kRepeatedMax> counts{};
    while (!bytes.empty()) {
      const std::optional<uint64_t> tag = TakeVarint(bytes, 5);
      if (!tag || *tag > UINT32_MAX || *tag >> 3 == 0) return Malformed(here);
      const auto number = static_cast<uint32_t>(*tag >> 3);
      const auto wire = static_cast<WireType>(*tag & 7);
      if (number >= table.rows.size() || !table.rows[number].known) {
        const std::string name = std::to_string(number);
        AddUpgrade("field.unknown", Path(here, name));
        base::WireField passed{.number = number, .type = wire};
        if (!base::TakeContent(bytes, passed)) return Malformed(here);
        continue;
      }
      const FieldRow& row = table.rows[number];
      int index = -1;
      if (row.repeated_slot >= 0) index = counts[static_cast<size_t>(row.repeated_slot)]++;
      const Path field(here, row.name, index);
      if (wire != row.wire) return Malformed(field);
      if (wire == WireType::kVarint) {
        const std::optional<uint64_t> value = TakeVarint(bytes, 10);
        if (!value) return Malformed(field);
        // As the parser does: the low 32 bits are the choice.
        if (row.enumeration && (static_cast<uint32_t>(*value) >= 32 ||
                                (row.choices >> static_cast<uint32_t>(*value) & 1) == 0)) {
          AddUpgrade("enum.unknown", field);
        }
        continue;
      }
      const std::optional<std::string_view> content = TakeBytes(bytes);
      if (!content) return Malformed(field);
      if (row.message != nullptr) {
        if (!Message(*row.message, *content, field, depth + 1)) return false;
      } else if (row.text) {
        if (!IsUtf8(*content)) {
          text_broken_ = true;
          AddFinal("text.utf8", field);
        } else if (depth == 1 && number == v1::Event::kEventIdFieldNumber) {
          out_.event_id = *content;
        }
      }
    }
    return true;
  }

 private:
  bool Malformed(const Path& where) {
    // Bytes put in place of a text without its new length leave everything behind it unreadable:
    // the text is what has to be mended.
    if (!text_broken_) AddFinal("event.malformed", where);
    return false;
  }

  void AddFinal(RuleRef rule, const Path& where) {
    final_ = true;
    out_.after_upgrade = false;
    out_.findings.Add(rule, where);
  }

  void AddUpgrade(RuleRef rule, const Path& where) {
    out_.after_upgrade = !final_;
    out_.findings.Add(rule, where);
  }

  WireFindings& out_;
  bool final_ = false;
  bool text_broken_ = false;
};

}  // namespace

size_t Utf8Bytes(std::string_view text) {
  size_t i = 0;
  // Nearly all text is ASCII: eight bytes at a time.
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t eight;
    std::memcpy(&eight, text.data() + i, 8);
    if ((eight & 0x8080808080808080u) != 0) break;
  }
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  const auto follows = [&](size_t at) { return at < text.size() && (byte(at) & 0xc0) == 0x80; };
  while (i < text.size()) {
    const uint8_t first = byte(i);
    if (first < 0x80) {
      ++i;
    } else if (first >= 0xc2 && first <= 0xdf) {
      if (!follows(i + 1)) return i;
      i += 2;
    } else if (first >= 0xe0 && first <= 0xef) {
      if (!follows(i + 1) || !follows(i + 2)) return i;
      if (first == 0xe0 && byte(i + 1) < 0xa0) return i;
      if (first == 0xed && byte(i + 1) > 0x9f) return i;
      i += 3;
    } else if (first >= 0xf0 && first <= 0xf4) {
      if (!follows(i + 1) || !follows(i + 2) || !follows(i + 3)) return i;
      if (first == 0xf0 && byte(i + 1) < 0x90) return i;
      if (first == 0xf4 && byte(i + 1) > 0x8f) return i;
      i += 4;
    } else {
      return i;
    }
  }
  return i;
}

WireFindings CheckWire(std::string_view bytes) {
  static const Tables tables;
  WireFindings out;
  Walk(out).Message(tables.event(), bytes, Path(), 1);
  return out;
}

}  // namespace simpul::event
