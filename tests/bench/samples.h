// Records for the benchmarks of logs.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "lib/base/bytes.h"

namespace simpul::bench {

inline constexpr size_t kRecordBytes = 600;

// Records like real ones: a 16-byte key without pattern, text that packs to about a half.
struct Sample {
  std::string key;
  std::string value;
};
inline std::vector<Sample> MakeSamples(size_t count) {
  std::mt19937_64 random(1);
  std::vector<Sample> samples(count);
  for (Sample& sample : samples) {
    for (int i = 0; i < 2; ++i) base::PutBe64(sample.key, random());
    while (sample.value.size() < kRecordBytes) {
      sample.value += fmt::format("{:016x} posyandu melati ", random());
    }
    sample.value.resize(kRecordBytes);
  }
  return samples;
}

}  // namespace simpul::bench
