#include "simpul/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

namespace simpul::cli {
namespace {

using Result = LineReader::Result;
using std::chrono::milliseconds;

const Stop kNeverStop;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_), 0); }
  ~Pipe() {
    Close();
    ::close(ends_[0]);
  }
  void Write(const std::string& bytes) {
    EXPECT_EQ(::write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void Close() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  int out() const { return ends_[0]; }

 private:
  int ends_[2];
};

std::vector<std::string> All(const std::string& bytes, size_t line_bytes_max = 100) {
  Pipe pipe;
  pipe.Write(bytes);
  pipe.Close();
  LineReader reader(pipe.out(), line_bytes_max, kNeverStop);
  std::vector<std::string> lines;
  while (true) {
    switch (reader.Next(milliseconds(10'000))) {
      case Result::kLine:
        lines.push_back(reader.line());
        break;
      case Result::kTooLong:
        lines.push_back("<too long>");
        break;
      default:
        return lines;
    }
  }
}

TEST(LineReader, GivesLinesWithoutTheirEnds) {
  EXPECT_EQ(All("a\nb\r\n\nc"), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(All("a\n"), (std::vector<std::string>{"a"}));
  EXPECT_TRUE(All("").empty());
}

TEST(LineReader, PassesOverAByteOrderMarkAtTheBeginning) {
  EXPECT_EQ(All("\xEF\xBB\xBF{}\n\xEF\xBB\xBF\n"),
            (std::vector<std::string>{"{}", "\xEF\xBB\xBF"}));
}

TEST(LineReader, PassesOverLinesThatAreTooLongAndGoesOn) {
  const std::string longer(60'000, 'x');
  EXPECT_EQ(All("a\n" + longer + "\nb\n"), (std::vector<std::string>{"a", "<too long>", "b"}));
  EXPECT_EQ(All(longer), (std::vector<std::string>{"<too long>"}));
}

TEST(LineReader, SaysWhenNothingComesAndGoesOnWhenItDoes) {
  Pipe pipe;
  pipe.Write("one\nha");
  LineReader reader(pipe.out(), 100, kNeverStop);
  EXPECT_EQ(reader.Next(milliseconds(0)), Result::kLine);
  EXPECT_EQ(reader.Next(milliseconds(0)), Result::kNothing);
  pipe.Write("lf\n");
  EXPECT_EQ(reader.Next(milliseconds(10'000)), Result::kLine);
  EXPECT_EQ(reader.line(), "half");
  EXPECT_EQ(reader.number(), 2u);
}

TEST(LineReader, StopsWhileItWaits) {
  Pipe pipe;
  Stop stop;
  LineReader reader(pipe.out(), 100, stop);
  std::thread stopper([&stop] { stop.Ask(); });
  EXPECT_EQ(reader.Next(std::chrono::hours(1)), Result::kStopped);
  stopper.join();
}

}  // namespace
}  // namespace simpul::cli
