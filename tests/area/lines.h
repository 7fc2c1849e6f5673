// A small directory for tests, and how a test changes it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "lib/area/directory_lines.h"
#include "lib/base/status_macros.h"
#include "lib/event/date.h"

namespace simpul::testing {

// A Puskesmas with a Pustu and two posyandu in village 73.24.02.2003, another under it, an office
// above it.
inline constexpr std::string_view kPlaces =
    R"({"row":"facility","codes":[{"code":"kemenkes|D7324"}],"kind":"regency_office","name":"Dinkes"}
{"row":"facility","codes":[{"code":"kemenkes|P7324020101","until":"2026-01-01"},{"code":"kemenkes|P7324020201","from":"2026-01-01"},{"code":"bpjs|0342R074"}],"kind":"puskesmas","name":"Nuha","other_names":["PKM Nuha"],"parent":"kemenkes|D7324","regions":["73.24.02.2003","bps|7324020003"],"stages":[{"stage":"closed","from":"2026-09-01"},{"stage":"pilot","from":"2024-03-01"},{"stage":"active","from":"2025-01-01"}]}
{"row":"facility","codes":[{"code":"kemenkes|K1"}],"kind":"clinic","name":"Klinik","parent":"bpjs|0342R074","regions":["73.24.02.2005"]}
{"row":"unit","facility":"bpjs|0342R074","code":"PST1","kind":"pustu","name":"Pustu Nikkel"}
{"row":"unit","facility":"bpjs|0342R074","code":"MLT3","kind":"posyandu","name":"Melati 3","active":[{"from":"2026-02-10","until":"2026-03-01"},{"from":"2026-05-01"}]}
{"row":"unit","facility":"bpjs|0342R074","code":"MLT4","kind":"posyandu","name":"Melati 4","regions":["73.24.02.2005"]}
)";

inline area::Day D(std::string_view text) { return *event::ParseDay(text); }

// The directory of the lines; a failure names the wrong line.
inline area::Directory Read(const std::string& lines) {
  const area::SourceText file{"d.jsonl", lines};
  auto directory = area::Parse({&file, 1});
  EXPECT_TRUE(directory.ok()) << directory.status();
  return directory.ok() ? *std::move(directory) : area::Directory();
}

inline area::Directory ReadWithPlaces(std::string_view lines) {
  return Read(std::string(kPlaces) + std::string(lines));
}

inline event::v1::Address Village(std::string_view code, std::string_view dusun = "",
                                  std::string_view rw = "", std::string_view rt = "",
                                  std::string_view system = "kemendagri") {
  event::v1::Address address;
  address.set_village_system(std::string(system));
  address.set_village_code(std::string(code));
  address.set_dusun(std::string(dusun));
  address.set_rw(std::string(rw));
  address.set_rt(std::string(rt));
  return address;
}

}  // namespace simpul::testing
