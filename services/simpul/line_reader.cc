#include "simpul/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace simpul::cli {

bool LineReader::TakeLine(Result& result) {
  const size_t end = buffer_.find('\n', begin_);
  const bool whole = end != std::string::npos;
  if (!whole && !end_) {
    if (buffer_.size() - begin_ > line_bytes_max_) {
      passing_ = true;
      buffer_.clear();
      begin_ = 0;
    }
    return false;
  }
  const size_t stop = whole ? end : buffer_.size();
  if (!whole && begin_ == stop && !passing_) return false;  // nothing after the last line's end
  size_t size = stop - begin_;
  ++number_;
  if (passing_ || size > line_bytes_max_) {
    result = Result::kTooLong;
  } else {
    if (size > 0 && buffer_[stop - 1] == '\r') --size;
    line_.assign(buffer_, begin_, size);
    if (number_ == 1 && line_.compare(0, 3, "\xEF\xBB\xBF") == 0) line_.erase(0, 3);
    result = Result::kLine;
  }
  passing_ = false;
  begin_ = whole ? end + 1 : buffer_.size();
  return true;
}

LineReader::Result LineReader::Next(std::chrono::milliseconds wait) {
  Result result = Result::kEnd;
  const auto until = std::chrono::steady_clock::now() + wait;
  while (true) {
    if (stop_.asked()) return Result::kStopped;
    if (TakeLine(result)) return result;
    if (end_) return Result::kEnd;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd ready[] = {{fd_, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    const auto timeout = std::clamp<int64_t>(left.count(), 0, INT_MAX);
    const int polled = ::poll(ready, 2, static_cast<int>(timeout));
    if (polled < 0 && errno != EINTR) {
      error_ = errno;
      end_ = true;
      continue;
    }
    if (polled <= 0 || ready[0].revents == 0) {
      if (left.count() <= 0) return Result::kNothing;
      continue;
    }
    if (begin_ > 0) {
      buffer_.erase(0, begin_);
      begin_ = 0;
    }
    constexpr size_t kPiece = 64 << 10;
    const size_t had = buffer_.size();
    buffer_.resize(had + kPiece);
    const ssize_t got = ::read(fd_, buffer_.data() + had, kPiece);
    buffer_.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EINTR && errno != EAGAIN) error_ = errno;
    if (got == 0 || error_ != 0) end_ = true;
  }
}

}  // namespace simpul::cli
