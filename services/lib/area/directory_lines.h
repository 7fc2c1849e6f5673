// The directory's files as text: one JSON object a line, described in docs/directory.md.
//
// Blank lines and lines that begin with # say nothing. Every mistake is found with its line; with
// one mistake nothing of the files counts, so that no half of a directory is ever in force. First
// every line is read; only when all can be, they are put together (what names what, what stands
// twice). Words never repeat what a line holds.
//
// Pure. Any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/area/directory.h"

namespace simpul::area {

// A file that was read: its name in messages, its text.
struct SourceText {
  std::string name;
  std::string_view text;
};

struct WrongLine {
  std::string file;
  size_t line;       // 1 is the first
  std::string what;  // what is wrong and what to do

  // FILE:LINE: WHAT
  std::string Text() const;
};

inline constexpr size_t kLineBytesMax = 64 << 10;
// More are counted but not described.
inline constexpr size_t kWrongLinesMax = 1000;

struct Reading {
  Directory directory;           // knows nothing when a line is wrong
  std::vector<WrongLine> wrong;  // in the order of files and lines, at most kWrongLinesMax
  size_t wrong_count = 0;
};

Reading ReadLines(std::span<const SourceText> files);

// The directory, or InvalidArgument: the first wrong line, and how many more there are.
absl::StatusOr<Directory> Parse(std::span<const SourceText> files);

}  // namespace simpul::area
