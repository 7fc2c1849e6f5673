// Lines of a file or pipe, as they come, in bounded memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "simpul/stop.h"

namespace simpul::cli {

// Reads from a descriptor that the caller owns. One thread.
class LineReader {
 public:
  enum class Result {
    kLine,     // line() is the next line
    kTooLong,  // the next line is longer than the limit; it was passed over
    kNothing,  // nothing came within the wait
    kEnd,      // no more, or the descriptor failed: see error()
    kStopped   // the end was asked for
  };

  // `stop` must outlive it.
  LineReader(int fd, size_t line_bytes_max, const Stop& stop)
      : fd_(fd), line_bytes_max_(line_bytes_max), stop_(stop) {}

  // The next line without its end (\n or \r\n). The last line needs none. A byte order mark at the
  // beginning is passed over.
  Result Next(std::chrono::milliseconds wait);

  const std::string& line() const { return line_; }
  // Of the last line, from 1.
  uint64_t number() const { return number_; }
  // Why reading failed; 0 when it did not.
  int error() const { return error_; }

 private:
  bool TakeLine(Result& result);

  const int fd_;
  const size_t line_bytes_max_;
  const Stop& stop_;
  std::string buffer_;
  size_t begin_ = 0;      // of what is not yet given out
  bool passing_ = false;  // within a line that is too long
  bool end_ = false;
  std::string line_;
  uint64_t number_ = 0;
  int error_ = 0;
};

}  // namespace simpul::cli
