// The growth card against an oracle that goes from month to month and asks each rule anew, with
// days as plain numbers; and the order of input, which must not matter.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "lib/rules/kms.h"

namespace simpul::rules {
namespace {

// 1 January 2020 is day 0. Months are numbered on: 0 is January 2020.
constexpr int kDaysOf[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
int DaysIn(int month) {
  const bool leap = (2020 + month / 12) % 4 == 0;  // right until 2100
  return kDaysOf[month % 12] + (month % 12 == 1 && leap ? 1 : 0);
}
struct PlainDay {
  int month, day_of_month;
};
int FirstOf(int month) {
  static const std::vector<int> first = [] {
    std::vector<int> days = {0};
    for (int at = 0; at < 200; ++at) days.push_back(days.back() + DaysIn(at));
    return days;
  }();
  return first.at(month);
}
PlainDay Split(int day) {
  int month = 0;
  while (FirstOf(month + 1) <= day) ++month;
  return {month, day - FirstOf(month) + 1};
}
std::chrono::sys_days Real(int day) {
  return std::chrono::sys_days(std::chrono::year(2020) / 1 / 1) + std::chrono::days(day);
}

// Walks the birthdays of the months one by one.
int AgeMonths(int born, int day) {
  const PlainDay birth = Split(born);
  int months = 0;
  for (;; ++months) {
    const int month = birth.month + months + 1;
    if (FirstOf(month) + std::min(birth.day_of_month, DaysIn(month)) - 1 > day) return months;
  }
}

struct Raw {
  int day = 0;
  uint64_t order = 0;
  int weight_g = 0;
  bool known = true, implausible = false, low = false, high = false, oedema = false,
       training = false;
  std::string id;
};

struct Subject {
  int born = 0;
  char sex = 'm';
  std::vector<Raw> weighings;
};

// The sheets once more, a figure for each month from 1 to 59.
int Needed(char sex, int months) {
  static const std::vector<int> boys = {800, 900, 800, 600, 500, 400, 400, 300, 300, 300, 300};
  static const std::vector<int> girls = {800, 900, 800, 600, 500, 400, 300, 300, 300, 300};
  const std::vector<int>& row = sex == 'm' ? boys : girls;
  return months <= static_cast<int>(row.size()) ? row[months - 1] : 200;
}

class Oracle {
 public:
  explicit Oracle(const Subject& subject) : subject_(subject), lasts_(kMonths) {
    for (int month = 0; month < kMonths; ++month) lasts_[month] = FindLastOf(month);
  }

  // Each month with a status, in words.
  std::map<int, std::string> Months() const {
    std::map<int, std::string> lines;
    for (int month = 0; month < kMonths; ++month) {
      const std::string status = Status(month);
      if (!status.empty()) lines[month] = status + Rest(month);
    }
    return lines;
  }

  bool Usable(const Raw& raw) const {
    return !raw.training && raw.day >= subject_.born && AgeMonths(subject_.born, raw.day) < 60 &&
           !(raw.known && raw.implausible);
  }

  const Raw* LastOf(int month) const { return month < 0 ? nullptr : lasts_[month]; }

  std::string Status(int month) const {
    const Raw* now = LastOf(month);
    if (now == nullptr) return "";
    bool earlier = false;
    for (int before = 0; before < month; ++before) earlier = earlier || LastOf(before) != nullptr;
    if (!earlier || AgeMonths(subject_.born, now->day) == 0) return "B";
    if (LastOf(month - 1) == nullptr) return "O";
    if (now->oedema) return "T";
    const int gain = now->weight_g - LastOf(month - 1)->weight_g;
    const int age = AgeMonths(subject_.born, now->day);
    if (subject_.sex != '?') return gain >= Needed(subject_.sex, age) ? "N" : "T";
    if (gain >= Needed('m', age) && gain >= Needed('f', age)) return "N";
    if (gain < Needed('m', age) && gain < Needed('f', age)) return "T";
    return "";
  }

  static constexpr int kMonths = 80;

 private:
  const Raw* FindLastOf(int month) const {
    const Raw* last = nullptr;
    for (const Raw& raw : subject_.weighings) {
      if (Split(raw.day).month != month || !Usable(raw)) continue;
      if (last == nullptr || last->day < raw.day ||
          (last->day == raw.day && last->order < raw.order)) {
        last = &raw;
      }
    }
    return last;
  }

  int DaysSinceLast(int month) const { return LastOf(month)->day - LastOf(month - 1)->day; }

  std::string Rest(int month) const {
    const std::string status = Status(month);
    const Raw* now = LastOf(month);
    const bool judged = now->known && !now->oedema;
    std::string rest = " " + now->id;
    if (now->oedema || (judged && now->low)) rest += " bgm";
    if (judged && now->high) rest += " above_orange";
    if (status == "N" || status == "T") {
      rest += fmt::format(" {} days {} g since {}", DaysSinceLast(month),
                          now->weight_g - LastOf(month - 1)->weight_g, LastOf(month - 1)->id);
    }
    if (status == "N" && DaysSinceLast(month) > 45) rest += " interval_long";
    if (status == "T") {
      const bool is_short = DaysSinceLast(month) < 15;
      const bool second = Status(month - 1) == "T" && DaysSinceLast(month - 1) >= 15;
      if (is_short) rest += " interval_short";
      if (second) rest += " two_t";
      if (!is_short) rest += second ? " asks two_t" : " asks single_t";
    }
    return rest;
  }

  const Subject& subject_;
  std::vector<const Raw*> lasts_;
};

KmsChild ChildOf(const Subject& subject) {
  return {.birth_date = Real(subject.born),
          .sex = subject.sex == 'm'   ? event::v1::SEX_MALE
                 : subject.sex == 'f' ? event::v1::SEX_FEMALE
                                      : event::v1::SEX_UNSPECIFIED};
}

std::vector<KmsWeighing> WeighingsOf(const Subject& subject) {
  std::vector<KmsWeighing> weighings;
  for (const Raw& raw : subject.weighings) {
    KmsWeighing weighing{.id = raw.id,
                         .day = Real(raw.day),
                         .order = raw.order,
                         .weight_g = static_cast<uint32_t>(raw.weight_g),
                         .oedema = raw.oedema,
                         .training = raw.training};
    if (raw.known && !raw.oedema) {
      weighing.weight_for_age = KmsWeightForAge{
          .implausible = raw.implausible, .below_minus_3 = raw.low, .above_plus_1 = raw.high};
    }
    weighings.push_back(weighing);
  }
  return weighings;
}

std::map<int, std::string> Said(const Kms& kms) {
  std::map<int, std::string> lines;
  for (const KmsMonth& month : kms.months) {
    const int number = (static_cast<int>(month.month.year()) - 2020) * 12 +
                       static_cast<int>(static_cast<unsigned>(month.month.month())) - 1;
    std::string line = fmt::format("{} {}", Word(month.status), kms.weighings[month.weighing].id);
    if (month.bgm) line += " bgm";
    if (month.above_orange) line += " above_orange";
    if (month.gain) {
      line += fmt::format(" {} days {} g since {}", month.gain->days, month.gain->gain_g,
                          kms.weighings[month.gain->previous].id);
    }
    if (month.interval_long) line += " interval_long";
    if (month.interval_short) line += " interval_short";
    if (month.two_t) line += " two_t";
    if (month.proposes) line += fmt::format(" asks {}", Word(*month.proposes));
    EXPECT_TRUE(lines.emplace(number, line).second) << "a second status of one month";
  }
  return lines;
}

// Children of all ages and habits: weighed every month, now and then, or several times a month.
Subject RandomSubject(std::mt19937& random, int weighings) {
  const auto below = [&](int bound) { return std::uniform_int_distribution(0, bound - 1)(random); };
  const auto chance = [&](int percent) { return below(100) < percent; };
  Subject subject{.born = below(400), .sex = "mmmfff?"[below(7)]};
  const int start = chance(70) ? 0 : below(1800);
  const int step = std::vector{4, 12, 30, 30, 31, 45}[below(6)];
  int day = subject.born + start - (chance(10) ? 3 : 0);
  int weight_g = 3000 + start * 7;
  for (int at = 0; at < weighings && day < 2400; ++at) {
    Raw raw{.day = std::max(0, day), .weight_g = weight_g, .id = fmt::format("w{}", at)};
    raw.known = !chance(5);
    raw.oedema = chance(5);
    raw.training = chance(5);
    raw.low = chance(8);
    raw.high = !raw.low && chance(8);
    // Only an extreme z is implausible.
    raw.implausible = raw.known && !raw.oedema && (raw.low || raw.high) && chance(40);
    subject.weighings.push_back(raw);
    day += below(2 * step + 1);
    weight_g = std::max(500, weight_g + below(16) * 100 - 300 + (chance(30) ? below(3) - 1 : 0));
  }
  // The order on the timeline is another than that of the days.
  std::vector<uint64_t> orders(subject.weighings.size());
  for (size_t at = 0; at < orders.size(); ++at) orders[at] = 10 * at;
  std::ranges::shuffle(orders, random);
  for (size_t at = 0; at < orders.size(); ++at) subject.weighings[at].order = orders[at];
  return subject;
}

TEST(KmsOracle, AgreesOnRandomChildren) {
  std::mt19937 random(20260105);
  std::map<char, int> seen;
  std::map<std::string, int> words;
  for (int child = 0; child < 1500; ++child) {
    const Subject subject = RandomSubject(random, 1 + child % 40);
    const Oracle oracle(subject);
    const Kms kms = DeriveKms(ChildOf(subject), WeighingsOf(subject));
    const std::map<int, std::string> said = Said(kms);
    ASSERT_EQ(said, oracle.Months()) << "child " << child;
    for (const auto& [month, line] : said) {
      ++seen[line[0]];
      for (const std::string word : {"two_t", "interval_short", "interval_long", "bgm"}) {
        if (line.find(word) != std::string::npos) ++words[word];
      }
    }
  }
  // Enough of each to mean something.
  for (char status : {'B', 'O', 'N', 'T'}) EXPECT_GT(seen[status], 500) << status;
  for (const std::string word : {"two_t", "interval_short", "interval_long", "bgm"}) {
    EXPECT_GT(words[word], 100) << word;
  }
}

// The children weighed, counted without any status: D = B + O + N + T.
TEST(KmsOracle, CountsEveryChildWeighedOnceAMonthInOneStatus) {
  std::mt19937 random(7);
  std::map<int, int> weighed;
  std::map<int, int> by_status;
  for (int child = 0; child < 500; ++child) {
    Subject subject = RandomSubject(random, 30);
    if (subject.sex == '?') subject.sex = 'f';
    const Oracle oracle(subject);
    for (int month = 0; month < Oracle::kMonths; ++month) {
      if (oracle.LastOf(month) != nullptr) ++weighed[month];
    }
    for (const auto& [month, line] : Said(DeriveKms(ChildOf(subject), WeighingsOf(subject)))) {
      ++by_status[month];
    }
  }
  EXPECT_EQ(by_status, weighed);
}

TEST(KmsOracle, GivesEveryWeighingAStatusToCarryOrOneReasonWhyNot) {
  std::mt19937 random(11);
  for (int child = 0; child < 500; ++child) {
    const Subject subject = RandomSubject(random, 40);
    const Kms kms = DeriveKms(ChildOf(subject), WeighingsOf(subject));
    ASSERT_EQ(kms.weighings.size(), subject.weighings.size());
    std::vector<int> carried(kms.weighings.size());
    for (const KmsMonth& month : kms.months) ++carried[month.weighing];
    for (size_t at = 0; at < carried.size(); ++at) {
      const KmsJudged& judged = kms.weighings[at];
      ASSERT_EQ(carried[at], judged.no_status ? 0 : 1) << judged.id;
      ASSERT_EQ(judged.usable, !judged.no_status ||
                                   judged.no_status == KmsNoStatus::kLaterInMonth ||
                                   judged.no_status == KmsNoStatus::kSexUnknown);
      ASSERT_FALSE(judged.reweigh && judged.usable);
    }
  }
}

TEST(KmsOracle, SaysTheSameForEveryPermutationOfASmallHistory) {
  std::mt19937 random(3);
  for (int child = 0; child < 40; ++child) {
    const Subject subject = RandomSubject(random, 6);
    std::vector<KmsWeighing> weighings = WeighingsOf(subject);
    const Kms wanted = DeriveKms(ChildOf(subject), weighings);
    std::ranges::sort(weighings, {}, &KmsWeighing::id);
    do {
      ASSERT_EQ(DeriveKms(ChildOf(subject), weighings), wanted) << "child " << child;
    } while (std::ranges::next_permutation(weighings, {}, &KmsWeighing::id).found);
  }
}

TEST(KmsOracle, SaysTheSameForLongHistoriesInAnyOrder) {
  std::mt19937 random(5);
  for (int child = 0; child < 40; ++child) {
    const Subject subject = RandomSubject(random, 300);
    std::vector<KmsWeighing> weighings = WeighingsOf(subject);
    const Kms wanted = DeriveKms(ChildOf(subject), weighings);
    for (int shuffle = 0; shuffle < 20; ++shuffle) {
      std::ranges::shuffle(weighings, random);
      ASSERT_EQ(DeriveKms(ChildOf(subject), weighings), wanted) << "child " << child;
    }
  }
}

// How far a late weighing reaches: its own month, the next, whose status compares with it, the one
// after, whose 2T rests on that status, and the month that was the first of all until then.
TEST(KmsOracle, ChangesTheMonthsThatRestOnALateWeighingAndNoOthers) {
  std::mt19937 random(13);
  std::map<int, int> changed;
  for (int child = 0; child < 1000; ++child) {
    Subject subject = RandomSubject(random, 12);
    if (subject.weighings.empty()) continue;
    const std::map<int, std::string> with = Said(DeriveKms(ChildOf(subject), WeighingsOf(subject)));
    // Often the first of all.
    const size_t at = child % 3 == 0 ? 0 : random() % subject.weighings.size();
    const Raw late = subject.weighings[at];
    std::erase_if(subject.weighings, [&](const Raw& raw) { return raw.id == late.id; });
    const std::map<int, std::string> without =
        Said(DeriveKms(ChildOf(subject), WeighingsOf(subject)));
    const auto line = [](const std::map<int, std::string>& lines, int month) {
      const auto found = lines.find(month);
      return found == lines.end() ? "" : found->second;
    };
    for (int month = 0; month < Oracle::kMonths; ++month) {
      if (line(with, month) == line(without, month)) continue;
      const int after = month - Split(late.day).month;
      if (after < 0 || after > 2) {
        ASSERT_GT(after, 2) << "child " << child << " month " << month;
        ASSERT_EQ(month, without.begin()->first) << "child " << child;
      }
      ++changed[std::min(after, 3)];
    }
  }
  for (int after : {0, 1, 2, 3}) EXPECT_GT(changed[after], 10) << after;
}

}  // namespace
}  // namespace simpul::rules
