// Runs a target where there is no libFuzzer: every seed as it is, then mutations of them, the same
// in every run.
//
//   TARGET --mutations N            seeds, then mutations 1 to N
//   TARGET --only I [--print]       mutation I alone; its bytes on stdout
//   TARGET --write-seeds FOLDER     the seeds as files: a corpus for libFuzzer
//   TARGET FILE...                  these inputs
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "tests/fuzz/target.h"

namespace simpul::fuzz {
namespace {

constexpr size_t kInputBytesMax = 128 << 10;

// Named when the target ends the process.
uint64_t running_mutation = 0;

// Async-signal-safe.
void SayWhichMutation() {
  char text[64] = "mutation ";
  size_t length = 9;
  char digits[24];
  size_t count = 0;
  for (uint64_t rest = running_mutation; rest > 0 || count == 0; rest /= 10) {
    digits[count++] = static_cast<char>('0' + rest % 10);
  }
  while (count > 0) text[length++] = digits[--count];
  text[length++] = '\n';
  static_cast<void>(!write(STDERR_FILENO, text, length));
}

void OnAbort(int) {
  SayWhichMutation();
  _exit(134);
}

void Run(std::string_view input) {
  // A copy of its own, so that a sanitizer sees the first byte read behind it.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

class Mutations {
 public:
  explicit Mutations(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  // Depends on the seeds and the number only.
  std::string Of(uint64_t number) const {
    std::mt19937_64 random(number);
    std::string input = Seed(random);
    for (uint64_t steps = 1 + random() % 8; steps > 0; --steps) Mutate(input, random);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    return input;
  }

 private:
  const std::string& Seed(std::mt19937_64& random) const {
    return seeds_[random() % seeds_.size()];
  }

  void Mutate(std::string& input, std::mt19937_64& random) const {
    static constexpr unsigned char kTelling[] = {0,   1,   2,   7,   8,    0x0a, 0x12, 0x1a,
                                                 '"', '{', '}', '[', ']',  ':',  ',',  '\\',
                                                 '-', '.', '9', 'e', 0x7f, 0x80, 0xc3, 0xff};
    const auto place = [&](size_t size) { return static_cast<size_t>(random() % (size + 1)); };
    const size_t at = place(input.size());
    const size_t length = std::min(place(16), input.size() - at);
    switch (random() % 9) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << random() % 8));
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(kTelling[random() % 24]);
        break;
      case 2:
        input.insert(at, 1, static_cast<char>(kTelling[random() % 24]));
        break;
      case 3:
        input.erase(at, length);
        break;
      case 4:
        input.insert(at, input.substr(at, length));
        break;
      case 5:
        input.resize(at);
        break;
      case 6: {  // the end of another seed
        const std::string& other = Seed(random);
        input = input.substr(0, at) + other.substr(place(other.size()));
        break;
      }
      case 7: {  // a number as large as it gets, in protobuf's form
        input.insert(at, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
        break;
      }
      case 8: {  // much of the same
        const std::string piece = input.substr(at, 1 + place(4));
        std::string many;
        for (uint64_t n = random() % 300; n > 0; --n) many += piece;
        input.insert(at, many);
        break;
      }
    }
  }

  std::vector<std::string> seeds_;
};

std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fmt::print(stderr, "{} cannot be read\n", path);
    std::exit(2);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

int Main(const std::vector<std::string>& arguments) {
  signal(SIGABRT, OnAbort);
  const std::vector<std::string> seeds = Seeds();
  const Mutations mutations(seeds);
  if (arguments.size() == 2 && arguments[0] == "--mutations") {
    for (const std::string& seed : seeds) Run(seed);
    const uint64_t count = std::stoull(arguments[1]);
    for (running_mutation = 1; running_mutation <= count; ++running_mutation) {
      Run(mutations.Of(running_mutation));
    }
    fmt::print("{} seeds and {} mutations\n", seeds.size(), count);
    return 0;
  }
  if (arguments.size() >= 2 && arguments[0] == "--only") {
    running_mutation = std::stoull(arguments[1]);
    const std::string input = mutations.Of(running_mutation);
    if (arguments.size() == 3 && arguments[2] == "--print") {
      std::fwrite(input.data(), 1, input.size(), stdout);
      std::fflush(stdout);
    }
    Run(input);
    return 0;
  }
  if (arguments.size() == 2 && arguments[0] == "--write-seeds") {
    std::filesystem::create_directories(arguments[1]);
    for (size_t i = 0; i < seeds.size(); ++i) {
      std::ofstream(fmt::format("{}/seed-{:04}", arguments[1], i), std::ios::binary) << seeds[i];
    }
    return 0;
  }
  for (const std::string& path : arguments) Run(FileText(path));
  return 0;
}

}  // namespace
}  // namespace simpul::fuzz

#ifdef __SANITIZE_ADDRESS__
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

int main(int argc, char** argv) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_set_death_callback(simpul::fuzz::SayWhichMutation);
#endif
  return simpul::fuzz::Main({argv + 1, argv + argc});
}
