// The members of one JSON object, read one by one until the first that is wrong.
//
// Every reader gives the value, or a default and an error that stays: check error() once, at the
// end. Messages name the member, say what is wrong and what to do, and never repeat a value.
#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "lib/area/directory.h"

namespace simpul::area {

class Members {
 public:
  // Both outlive this. Does nothing further once `error` is set. `where` stands before the names.
  Members(const rapidjson::Value& object, absl::Status& error, std::string where = "");

  // Refuses a member that is not among these, or stands twice.
  void Only(std::initializer_list<std::string_view> names);

  bool Has(std::string_view name) const;
  // Text of 1 to 200 bytes that looks like nobody's identity number. Optional text may be absent
  // or empty.
  std::string Text(std::string_view name);
  std::string OptionalText(std::string_view name);
  // One of the words.
  std::string Word(std::string_view name, std::span<const std::string_view> words);
  int64_t Number(std::string_view name, int64_t least, int64_t most);
  // YYYY-MM-DD.
  std::optional<Day> OptionalDay(std::string_view name);
  // "from" and "until", each optional; until after from.
  area::Days Days();
  // SYSTEM|CODE of a facility.
  Code FacilityCode(std::string_view name);
  std::optional<Code> OptionalFacilityCode(std::string_view name);
  // SYSTEM|CODE of a region.
  Code RegionCode(std::string_view name);
  AreaCode Area(std::string_view name);
  // A list of objects, of texts: `read` is called for each until an error. Absent: an empty list.
  void Objects(std::string_view name, const std::function<void(Members&)>& read);
  std::vector<std::string> Texts(std::string_view name);

  void Fail(std::string_view name, std::string_view what);
  bool ok() const { return error_.ok(); }

 private:
  // Null when it is absent or null.
  const rapidjson::Value* Find(std::string_view name) const;
  const rapidjson::Value* FindList(std::string_view name);

  const rapidjson::Value& object_;
  absl::Status& error_;
  const std::string where_;
};

}  // namespace simpul::area
