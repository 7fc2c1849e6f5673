#include "lib/deliver/decide.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/base/test_point.h"
#include "lib/base/text.h"
#include "lib/deliver/answer_json.h"

namespace simpul::deliver {
namespace {

using rapidjson::Value;

constexpr size_t kSaysMax = 500;

bool ContainsIgnoringCase(std::string_view text, std::string_view words) {
  return std::search(text.begin(), text.end(), words.begin(), words.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         }) != text.end();
}

std::string RuleOf(std::string_view text) {
  constexpr std::string_view kMark = "RuleNumber:";
  const size_t at = text.find(kMark);
  if (at == std::string_view::npos) return "";
  size_t begin = at + kMark.size();
  while (begin < text.size() && text[begin] == ' ') ++begin;
  size_t end = begin;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return std::string(text.substr(begin, end - begin));
}

// Stable words are made of letters, digits and underscores, whatever the platform wrote.
std::string Word(std::string_view text) {
  std::string word;
  for (char c : text.substr(0, 40)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (c >= 'A' && c <= 'Z') {
      word.push_back(static_cast<char>(c - 'A' + 'a'));
    } else {
      word.push_back(plain ? c : '_');
    }
  }
  return word;
}

std::string Says(std::string_view words) {
  std::string says(words.substr(0, kSaysMax));
  // Cut back to a whole UTF-8 character: the log keeps text.
  while (!says.empty() && says.size() == kSaysMax && (says.back() & 0x80) != 0) says.pop_back();
  for (char& c : says) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return base::MaskNumbers(says);
}

std::string Says(const std::vector<Issue>& issues) {
  std::string words;
  for (const Issue& issue : issues) {
    if (issue.text.empty()) continue;
    if (!words.empty()) words += "; ";
    words += issue.text;
    if (words.size() > kSaysMax) break;
  }
  return Says(words);
}

bool IsDuplicate(const Issue& issue) {
  return issue.code == "duplicate" || issue.rule == "20002" ||
         ContainsIgnoringCase(issue.text, "found duplicate");
}

// The platform repeats these for every other entry once one has failed.
bool IsConsequence(const Issue& issue) { return issue.rule == "20012" || issue.rule == "20013"; }

bool IsTransient(std::string_view code) {
  static constexpr std::array<std::string_view, 6> kTransient = {
      "transient", "timeout", "throttled", "lock-error", "no-store", "incomplete"};
  return std::find(kTransient.begin(), kTransient.end(), code) != kTransient.end();
}

// What the platform's issues mean for a request it answered with a refusal.
void Judge(const std::vector<Issue>& issues, Verdict& verdict) {
  verdict.platform_says = Says(issues);
  for (const Issue& issue : issues) {
    if (IsDuplicate(issue)) {
      verdict.meaning = Meaning::kDuplicate;
      verdict.reason = "duplicate";
      return;
    }
  }
  const auto first =
      std::find_if(issues.begin(), issues.end(), [](const Issue& i) { return !IsConsequence(i); });
  const Issue& issue = first == issues.end() ? issues.front() : *first;
  verdict.meaning = Meaning::kRefused;
  if (!issue.rule.empty()) {
    verdict.reason = "rule_" + issue.rule;
    // 20003, 20004, 20009, 20010: what the client may do, set at the platform. 20007: what is
    // referred to is not there yet.
    for (std::string_view held : {"20003", "20004", "20007", "20009", "20010"}) {
      if (issue.rule == held) verdict.meaning = Meaning::kHeld;
    }
    return;
  }
  if (ContainsIgnoringCase(issue.text, "cannot be accessed due to business rule")) {
    verdict.meaning = Meaning::kHeld;
    verdict.reason = "organization_mismatch";
  } else if (ContainsIgnoringCase(issue.text, "privacy:")) {
    verdict.reason = "privacy";
  } else if (IsTransient(issue.code)) {
    verdict.meaning = Meaning::kRetry;
    verdict.reason = "issue_" + Word(issue.code);
  } else {
    verdict.reason = issue.code.empty() ? "refused" : "issue_" + Word(issue.code);
  }
}

Verdict OfTransport(const HttpAnswer& answer) {
  Verdict verdict;
  verdict.reason = answer.problem.empty() ? "connection_lost" : answer.problem;
  if (answer.arrival == HttpAnswer::Arrival::kNeverSent) {
    verdict.meaning = Meaning::kRetry;
    verdict.scope = Verdict::Scope::kPlatform;
  } else {
    verdict.meaning = Meaning::kUnknown;
    verdict.may_go_on = true;
  }
  return verdict;
}

// True when the answer is no 2xx; `verdict` then says what it means.
bool IsFailure(const HttpAnswer& answer, base::Time now, Verdict& verdict) {
  if (answer.status >= 200 && answer.status < 300) return false;
  const std::string http = "http_" + std::to_string(answer.status);
  const std::vector<Issue> issues = ReadIssues(answer.body);
  verdict.wait_min = ReadRetryAfter(answer.retry_after, now);
  verdict.platform_says = Says(issues);
  verdict.reason = http;
  switch (answer.status) {
    case 401:
      verdict.meaning = Meaning::kHeld;
      verdict.reason = "credentials";
      verdict.scope = Verdict::Scope::kOrganization;
      return true;
    case 429:
      verdict.meaning = Meaning::kRetry;
      verdict.scope = Verdict::Scope::kOrganization;
      return true;
    case 408:
    case 425:
      verdict.meaning = Meaning::kRetry;
      return true;
    default:
      break;
  }
  if (answer.status >= 500 || answer.status < 200) {
    verdict.meaning = Meaning::kUnknown;
    // A gateway that gave up says nothing about the back end.
    verdict.may_go_on = answer.status == 502 || answer.status == 504;
    return true;
  }
  if (answer.status >= 300 && answer.status < 400) {
    // Redirects are not followed: whatever is behind them has not seen our credentials.
    verdict.meaning = Meaning::kHeld;
    verdict.scope = Verdict::Scope::kPlatform;
    return true;
  }
  if (!issues.empty()) {
    Judge(issues, verdict);
    return true;
  }
  // Without an OperationOutcome these come from a gateway in front of the platform.
  const bool gateway = answer.status == 403 || answer.status == 404 || answer.status == 405;
  verdict.meaning = gateway ? Meaning::kHeld : Meaning::kRefused;
  if (gateway) verdict.scope = Verdict::Scope::kOrganization;
  return true;
}

// A refusal inside HTTP 200: {"success": false, "message": ...}, or an OperationOutcome with
// errors.
bool IsBusinessFailure(const rapidjson::Document& document, std::string_view body,
                       Verdict& verdict) {
  const Value* success = Member(document, "success");
  if (success != nullptr && success->IsBool() && !success->GetBool()) {
    verdict.meaning = Meaning::kRefused;
    verdict.reason = "business_failure";
    verdict.platform_says = Says(Text(document, "message"));
    return true;
  }
  if (Text(document, "resourceType") != "OperationOutcome") return false;
  const std::vector<Issue> issues = ReadIssues(body);
  if (issues.empty()) return false;
  Judge(issues, verdict);
  return true;
}

// Type and id of ".../Encounter/abc/_history/1".
CreatedResource FromLocation(std::string_view location) {
  std::vector<std::string_view> steps;
  while (!location.empty()) {
    const size_t slash = location.find('/');
    steps.push_back(location.substr(0, slash));
    location.remove_prefix(slash == std::string_view::npos ? location.size() : slash + 1);
  }
  const auto history = std::find(steps.begin(), steps.end(), "_history");
  const size_t end = static_cast<size_t>(history - steps.begin());
  if (end < 2) return {};
  return {std::string(steps[end - 2]), std::string(steps[end - 1])};
}

bool ReadCreated(const rapidjson::Document& document, size_t entries, Verdict& verdict) {
  const Value* list = Member(document, "entry");
  if (Text(document, "resourceType") != "Bundle") return false;
  if (list == nullptr || !list->IsArray() || list->Size() != entries) return false;
  for (const Value& entry : list->GetArray()) {
    const Value* response = Member(entry, "response");
    if (response == nullptr) return false;
    if (!Text(*response, "status").starts_with("2")) return false;
    CreatedResource created{Text(*response, "resourceType"), Text(*response, "resourceID")};
    if (created.id.empty()) created = FromLocation(Text(*response, "location"));
    if (created.id.empty()) return false;
    verdict.created.push_back(std::move(created));
  }
  return true;
}

std::optional<int> MonthOf(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto it = std::find(kMonths.begin(), kMonths.end(), name);
  if (it == kMonths.end()) return std::nullopt;
  return static_cast<int>(it - kMonths.begin()) + 1;
}

std::optional<int> Number(std::string_view text) {
  if (!base::IsDigits(text) || text.size() > 9) return std::nullopt;
  return std::stoi(std::string(text));
}

}  // namespace

std::vector<Issue> ReadIssues(std::string_view body) {
  std::vector<Issue> issues;
  rapidjson::Document document;
  if (!ParseObject(body, document)) return issues;
  const Value* list = Member(document, "issue");
  if (list == nullptr || !list->IsArray()) {
    // The gateway's own shape: {"fault": {"faultstring", "detail": {"errorcode"}}}.
    const Value* fault = Member(document, "fault");
    if (fault == nullptr) return issues;
    Issue issue{"error", "", Text(*fault, "faultstring"), ""};
    if (const Value* detail = Member(*fault, "detail")) issue.code = Text(*detail, "errorcode");
    issues.push_back(std::move(issue));
    return issues;
  }
  for (const Value& one : list->GetArray()) {
    Issue issue;
    issue.severity = Text(one, "severity");
    issue.code = Text(one, "code");
    if (const Value* details = Member(one, "details")) {
      issue.text = Text(*details, "text");
      const Value* codings = Member(*details, "coding");
      if (issue.text.empty() && codings != nullptr && codings->IsArray() && !codings->Empty()) {
        issue.text = Text((*codings)[0], "display");
      }
    }
    if (issue.text.empty()) issue.text = Text(one, "diagnostics");
    issue.rule = RuleOf(issue.text);
    if (issue.rule.empty()) issue.rule = RuleOf(Text(one, "diagnostics"));
    issues.push_back(std::move(issue));
  }
  return issues;
}

std::optional<std::chrono::seconds> ReadRetryAfter(std::string_view header, base::Time now) {
  while (!header.empty() && header.front() == ' ') header.remove_prefix(1);
  while (!header.empty() && (header.back() == ' ' || header.back() == '\r'))
    header.remove_suffix(1);
  if (const auto seconds = Number(header)) return std::chrono::seconds(*seconds);
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (header.size() != 29 || !header.ends_with(" GMT")) return std::nullopt;
  const auto day = Number(header.substr(5, 2)), year = Number(header.substr(12, 4)),
             hour = Number(header.substr(17, 2)), minute = Number(header.substr(20, 2)),
             second = Number(header.substr(23, 2)), month = MonthOf(header.substr(8, 3));
  if (!day || !year || !hour || !minute || !second || !month) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const auto at = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                  std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  const auto wait = std::chrono::ceil<std::chrono::seconds>(at - now);
  return std::max(wait, std::chrono::seconds(0));
}

Verdict ClassifyTransaction(const HttpAnswer& answer, size_t entries, base::Time now) {
  if (answer.arrival != HttpAnswer::Arrival::kWhole) return OfTransport(answer);
  Verdict verdict;
  verdict.request_id = answer.request_id.substr(0, 100);
  if (IsFailure(answer, now, verdict)) return verdict;
  rapidjson::Document document;
  if (ParseObject(answer.body, document)) {
    if (IsBusinessFailure(document, answer.body, verdict)) return verdict;
    if (ReadCreated(document, entries, verdict)) return verdict;
    verdict.created.clear();
  }
  verdict.meaning = Meaning::kUnknown;
  verdict.reason = "unreadable_answer";
  return verdict;
}

Verdict ClassifyRead(const HttpAnswer& answer, base::Time now) {
  Verdict verdict;
  if (answer.arrival != HttpAnswer::Arrival::kWhole) {
    verdict = OfTransport(answer);
  } else {
    verdict.request_id = answer.request_id.substr(0, 100);
    if (!IsFailure(answer, now, verdict)) {
      rapidjson::Document document;
      const bool readable = ParseObject(answer.body, document);
      if (readable && IsBusinessFailure(document, answer.body, verdict)) return verdict;
      if (!readable || Text(document, "resourceType") != "Bundle") {
        verdict.meaning = Meaning::kRetry;
        verdict.reason = "unreadable_answer";
      }
    }
  }
  if (verdict.meaning == Meaning::kUnknown) verdict.meaning = Meaning::kRetry;
  if (verdict.meaning == Meaning::kDuplicate) verdict.meaning = Meaning::kRefused;
  return verdict;
}

std::chrono::microseconds FullJitter(std::chrono::milliseconds base, std::chrono::milliseconds cap,
                                     uint32_t tries, double random) {
  const uint32_t doublings = std::min<uint32_t>(tries == 0 ? 0 : tries - 1, 30);
  const double most =
      std::min(static_cast<double>(cap.count()),
               std::ldexp(static_cast<double>(base.count()), static_cast<int>(doublings)));
  return std::chrono::microseconds(static_cast<int64_t>(random * most * 1000));
}

Decision Decide(const Verdict& verdict, const Try& attempt, const RetryPolicy& policy) {
  Decision decision;
  decision.reason = verdict.reason;
  const base::Time asked = attempt.now + verdict.wait_min.value_or(std::chrono::seconds(0));
  const base::Time backed_off = std::max<base::Time>(
      asked, attempt.now + FullJitter(policy.base, policy.cap, attempt.tries, attempt.random));
  Meaning meaning = verdict.meaning;
  if (meaning == Meaning::kRefused && SIMPUL_PLANTED_BUG("retry_permanent_refusal")) {
    meaning = Meaning::kRetry;
  }
  switch (meaning) {
    case Meaning::kDone:
      decision.outcome = log::v1::OUTCOME_CLASS_DELIVERED;
      decision.reason.clear();
      break;
    case Meaning::kRetry:
      decision.outcome = log::v1::OUTCOME_CLASS_RETRY;
      decision.retry_at = backed_off;
      break;
    case Meaning::kUnknown:
      decision.outcome = log::v1::OUTCOME_CLASS_UNKNOWN;
      decision.retry_at =
          verdict.may_go_on
              ? std::max<base::Time>(backed_off, attempt.started + policy.request_limit)
              : backed_off;
      break;
    case Meaning::kDuplicate:
      decision.outcome = log::v1::OUTCOME_CLASS_UNKNOWN;
      decision.retry_at = attempt.now;
      decision.adopt = true;
      break;
    case Meaning::kHeld:
      decision.outcome = log::v1::OUTCOME_CLASS_HELD;
      decision.retry_at =
          std::max<base::Time>(asked, attempt.now + FullJitter(policy.held_base, policy.held_cap,
                                                               attempt.tries, attempt.random));
      break;
    case Meaning::kRefused:
      decision.outcome = log::v1::OUTCOME_CLASS_REFUSED;
      break;
  }
  return decision;
}

}  // namespace simpul::deliver
