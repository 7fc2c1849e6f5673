#include <algorithm>

#include "lib/event/rule_table.h"

namespace simpul::event {

static_assert(std::is_sorted(kRuleTable.begin(), kRuleTable.end(),
                             [](const Rule& a, const Rule& b) { return a.name < b.name; }));

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> rules(kRuleTable.begin(), kRuleTable.end());
  return rules;
}

}  // namespace simpul::event
