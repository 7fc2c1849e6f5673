// What a check found, and where.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/event/rule_table.h"

namespace simpul::event {

// At most this many violations, and as many warnings, are listed for one event; one more row says
// that there are more. Keeps the answer to the worst batch below gRPC's 4 MiB.
inline constexpr size_t kFindingsMax = 24;

// The way to a field, kept on the stack; text is made only when something is found there.
class Path {
 public:
  Path() = default;
  // `parent` and `name` must outlive this.
  Path(const Path& parent, std::string_view name, int index = -1)
      : parent_(&parent), name_(name), index_(index) {}

  std::string Text() const {
    std::string text = parent_ == nullptr ? std::string() : parent_->Text();
    if (!text.empty() && !name_.empty()) text += '.';
    text += name_;
    if (index_ >= 0) text += '[' + std::to_string(index_) + ']';
    return text;
  }

 private:
  const Path* parent_ = nullptr;
  std::string_view name_;
  int index_ = -1;
};

// Collects violations and warnings.
class Findings {
 public:
  // What the rule says is wrong there.
  void Add(RuleRef rule, const Path& where) { Add(rule, where, std::string(rule->meaning)); }

  // The same in words that say more. Never the value.
  void Add(RuleRef rule, const Path& where, std::string message) {
    std::vector<Violation>& list = rule->warning ? warnings_ : violations_;
    if (list.size() > kFindingsMax) return;
    if (list.size() == kFindingsMax) {
      const RuleRef more = "violations.more";
      list.push_back({"", more->name, std::string(more->meaning), std::string(more->fix)});
      return;
    }
    list.push_back({where.Text(), rule->name, std::move(message), std::string(rule->fix)});
  }

  bool ok() const { return violations_.empty(); }
  std::vector<Violation>& violations() { return violations_; }
  std::vector<Violation>& warnings() { return warnings_; }

 private:
  std::vector<Violation> violations_;
  std::vector<Violation> warnings_;
};

}  // namespace simpul::event
