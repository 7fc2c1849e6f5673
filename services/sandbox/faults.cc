#include "sandbox/faults.h"

#include <fmt/format.h>

#include <algorithm>

namespace simpul::sandbox {
namespace {

// Reads the members of one object; every member must be taken.
class Reader {
 public:
  Reader(const Json* object, std::string_view where) : object_(object), where_(where) {
    if (object_ != nullptr && !object_->IsObject()) Fail("must be an object");
  }

  void Take(std::string_view name, std::string& out) {
    if (const Json* value = Next(name); value != nullptr) {
      value->IsString() ? out = Text(*value) : (Fail(name, "must be a string"), out);
    }
  }
  void Take(std::string_view name, bool& out) {
    if (const Json* value = Next(name); value != nullptr) {
      value->IsBool() ? out = value->GetBool() : (Fail(name, "must be true or false"), out);
    }
  }
  void Take(std::string_view name, uint64_t& out, uint64_t least, uint64_t most) {
    if (const Json* value = Next(name); value != nullptr) {
      if (!value->IsUint64() || value->GetUint64() < least || value->GetUint64() > most) {
        Fail(name, fmt::format("must be a whole number from {} to {}", least, most));
      } else {
        out = value->GetUint64();
      }
    }
  }
  void TakeProbability(std::string_view name, double& out) {
    if (const Json* value = Next(name); value != nullptr) {
      if (!value->IsNumber() || value->GetDouble() < 0 || value->GetDouble() > 1) {
        Fail(name, "must be a number from 0 to 1");
      } else {
        out = value->GetDouble();
      }
    }
  }
  const Json* TakeObject(std::string_view name) { return Next(name); }

  // The first thing wrong, or a member that nobody knows.
  absl::Status Finish() {
    if (object_ != nullptr && object_->IsObject() && wrong_.empty()) {
      for (auto it = object_->MemberBegin(); it != object_->MemberEnd(); ++it) {
        const std::string_view name = Text(it->name);
        if (std::find(taken_.begin(), taken_.end(), name) == taken_.end()) {
          Fail(name, "is not known here");
          break;
        }
      }
    }
    return wrong_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(wrong_);
  }

 private:
  const Json* Next(std::string_view name) {
    taken_.push_back(name);
    return object_ == nullptr ? nullptr : Member(*object_, name);
  }
  void Fail(std::string_view name, std::string_view words) {
    if (wrong_.empty()) {
      wrong_ = where_.empty() ? fmt::format("{} {}.", name, words)
                              : fmt::format("{}.{} {}.", where_, name, words);
    }
  }
  void Fail(std::string_view words) {
    if (wrong_.empty()) wrong_ = fmt::format("{} {}.", where_.empty() ? "the rule" : where_, words);
  }

  const Json* object_;
  const std::string_view where_;
  std::vector<std::string_view> taken_;
  std::string wrong_;
};

// A number in [0, 1) that depends on nothing but the three.
double Draw(uint64_t seed, uint64_t rule, uint64_t count) {
  uint64_t x = seed * 0x9e3779b97f4a7c15ULL + rule * 0xbf58476d1ce4e5b9ULL + count;
  for (int i = 0; i < 2; ++i) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    x ^= x >> 31;
  }
  return static_cast<double>(x >> 11) / static_cast<double>(1ULL << 53);
}

bool PathMatches(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return true;
  if (pattern.ends_with('*')) return path.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == path;
}

}  // namespace

absl::StatusOr<uint64_t> Faults::Set(const Json& rule_json) {
  Rule rule;
  rule.text = ToJson(rule_json);
  Reader top(&rule_json, "");
  const Json* match_json = top.TakeObject("match");
  const Json* fault_json = top.TakeObject("fault");
  top.Take("times", rule.times, 1, UINT32_MAX);
  if (absl::Status read = top.Finish(); !read.ok()) return read;
  if (fault_json == nullptr) return absl::InvalidArgumentError("fault is missing.");

  Reader match(match_json, "match");
  match.Take("method", rule.method);
  match.Take("path", rule.path);
  match.Take("organization", rule.organization);
  match.Take("nth", rule.nth, 1, UINT32_MAX);
  match.Take("every", rule.every, 1, UINT32_MAX);
  match.TakeProbability("probability", rule.probability);
  if (absl::Status read = match.Finish(); !read.ok()) return read;

  Reader fault(fault_json, "fault");
  uint64_t status = 0, retry_after = UINT64_MAX, delay_ms = 0;
  fault.Take("status", status, 400, 599);
  fault.Take("retry_after", retry_after, 0, 86400);
  fault.Take("text", rule.fault.text);
  fault.Take("delay_ms", delay_ms, 0, 600'000);
  fault.Take("close_before", rule.fault.close_before);
  fault.Take("answer_lost_after_commit", rule.fault.answer_lost_after_commit);
  fault.Take("half_answer", rule.fault.half_answer);
  const Json* issue_json = fault.TakeObject("issue");
  if (absl::Status read = fault.Finish(); !read.ok()) return read;
  if (issue_json != nullptr) {
    Issue issue;
    Reader reader(issue_json, "fault.issue");
    reader.Take("code", issue.code);
    reader.Take("text", issue.text);
    reader.Take("expression", issue.expression);
    if (absl::Status read = reader.Finish(); !read.ok()) return read;
    rule.fault.issue = std::move(issue);
    if (status == 0) status = 400;
  }
  rule.fault.status = static_cast<int>(status);
  rule.fault.delay_ms = static_cast<int>(delay_ms);
  if (retry_after != UINT64_MAX) rule.fault.retry_after = static_cast<int>(retry_after);
  if (status == 0 && delay_ms == 0 && !rule.fault.close_before &&
      !rule.fault.answer_lost_after_commit && !rule.fault.half_answer) {
    return absl::InvalidArgumentError(
        "fault does nothing: it needs status, issue, delay_ms, close_before, "
        "answer_lost_after_commit or half_answer.");
  }

  std::lock_guard lock(mutex_);
  if (rules_.size() >= kRulesMax) {
    return absl::InvalidArgumentError(fmt::format("there are {} rules already.", kRulesMax));
  }
  rule.id = next_id_++;
  rules_.push_back(std::move(rule));
  return rules_.back().id;
}

std::optional<Fault> Faults::Meet(const rpc::HttpRequest& request, std::string_view organization) {
  std::lock_guard lock(mutex_);
  for (Rule& rule : rules_) {
    if (!rule.method.empty() && rule.method != request.method) continue;
    if (!PathMatches(rule.path, request.path)) continue;
    if (!rule.organization.empty() && rule.organization != organization) continue;
    ++rule.matched;
    if (rule.times > 0 && rule.fired >= rule.times) continue;
    if (rule.nth > 0 && rule.matched != rule.nth) continue;
    if (rule.every > 0 && rule.matched % rule.every != 0) continue;
    if (rule.probability < 1 && Draw(seed_, rule.id, rule.matched) >= rule.probability) continue;
    ++rule.fired;
    return rule.fault;
  }
  return std::nullopt;
}

std::string Faults::List() const {
  std::lock_guard lock(mutex_);
  std::string out = R"({"faults":[)";
  for (size_t i = 0; i < rules_.size(); ++i) {
    out += fmt::format(R"({}{{"id":{},"rule":{},"matched":{},"fired":{}}})", i == 0 ? "" : ",",
                       rules_[i].id, rules_[i].text, rules_[i].matched, rules_[i].fired);
  }
  return out + "]}";
}

bool Faults::Clear(uint64_t id) {
  std::lock_guard lock(mutex_);
  return std::erase_if(rules_, [id](const Rule& rule) { return rule.id == id; }) > 0;
}

void Faults::ClearAll() {
  std::lock_guard lock(mutex_);
  rules_.clear();
}

rpc::HttpResponse Answer(const Fault& fault) {
  rpc::HttpResponse response;
  if (fault.issue.has_value()) {
    response = Refusal(fault.status, {*fault.issue});
  } else if (!fault.text.empty()) {
    response.content_type = "text/plain";
    response.body = fault.text;
  } else if (fault.status == 401) {
    response = GatewayFault("Access Token expired", "keymanagement.service.access_token_expired");
  } else if (fault.status == 429) {
    response.body = R"({"fault":{"faultstring":"Rate limit quota violation","detail":)"
                    R"({"errorcode":"policies.ratelimit.QuotaViolation"}}})";
  } else if (fault.status == 500) {
    response.body = R"({"message":"An unexpected internal error has occurred."})";
  } else if (fault.status > 500) {
    response.content_type = "text/plain";
    response.body = fault.status == 504   ? "Gateway Timeout"
                    : fault.status == 502 ? "Bad Gateway"
                                          : "Service Unavailable";
  } else {
    response = Refusal(fault.status, {MakeIssue(0, "refused on demand", "", "exception")});
  }
  response.status = fault.status;
  if (fault.retry_after >= 0)
    response.headers["Retry-After"] = fmt::format("{}", fault.retry_after);
  return response;
}

}  // namespace simpul::sandbox
