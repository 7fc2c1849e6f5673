#include "sandbox/json_patch.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "lib/base/text.h"

namespace simpul::sandbox {
namespace {

constexpr rapidjson::SizeType kOperationsMax = 200;

// The reference tokens of a JSON Pointer (RFC 6901); nullopt when it is none.
std::optional<std::vector<std::string>> Tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer[0] != '/') return std::nullopt;
  for (size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] == '~') {
      if (++i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return std::nullopt;
      tokens.back().push_back(pointer[i] == '0' ? '~' : '/');
    } else {
      tokens.back().push_back(pointer[i]);
    }
  }
  return tokens;
}

// An array index below `limit`; nullopt for anything else.
std::optional<rapidjson::SizeType> IndexOf(const std::string& token, rapidjson::SizeType limit) {
  if (!base::IsDigits(token) || token.size() > 9 || (token.size() > 1 && token[0] == '0')) {
    return std::nullopt;
  }
  const auto index = static_cast<rapidjson::SizeType>(std::stoul(token));
  return index < limit ? std::optional(index) : std::nullopt;
}

Json* Child(Json& parent, const std::string& token) {
  if (parent.IsObject()) return Member(parent, token);
  if (!parent.IsArray()) return nullptr;
  const auto index = IndexOf(token, parent.Size());
  return index.has_value() ? &parent[*index] : nullptr;
}

Json* Find(Json& root, const std::vector<std::string>& tokens, size_t count) {
  Json* at = &root;
  for (size_t i = 0; i < count && at != nullptr; ++i) at = Child(*at, tokens[i]);
  return at;
}

bool Add(Json& root, const std::vector<std::string>& tokens, Json value, JsonPool& pool) {
  if (tokens.empty()) return false;
  Json* parent = Find(root, tokens, tokens.size() - 1);
  if (parent == nullptr) return false;
  if (parent->IsObject()) {
    SetMember(*parent, tokens.back(), std::move(value), pool);
    return true;
  }
  if (!parent->IsArray()) return false;
  const auto index = tokens.back() == "-" ? std::optional(parent->Size())
                                          : IndexOf(tokens.back(), parent->Size() + 1);
  if (!index.has_value()) return false;
  parent->PushBack(Json(), pool);
  for (rapidjson::SizeType i = parent->Size() - 1; i > *index; --i) {
    (*parent)[i].Swap((*parent)[i - 1]);
  }
  (*parent)[*index] = value;
  return true;
}

bool Remove(Json& root, const std::vector<std::string>& tokens) {
  if (tokens.empty()) return false;
  Json* parent = Find(root, tokens, tokens.size() - 1);
  if (parent == nullptr || Child(*parent, tokens.back()) == nullptr) return false;
  if (parent->IsObject()) {
    parent->EraseMember(parent->FindMember(tokens.back().c_str()));
  } else {
    parent->Erase(parent->Begin() + *IndexOf(tokens.back(), parent->Size()));
  }
  return true;
}

}  // namespace

std::string ApplyJsonPatch(const Json& operations, Json& target, JsonPool& pool) {
  if (!operations.IsArray() || operations.Empty()) return "a JSON Patch is an array of operations";
  if (operations.Size() > kOperationsMax) {
    return fmt::format("a JSON Patch has at most {} operations", kOperationsMax);
  }
  for (rapidjson::SizeType i = 0; i < operations.Size(); ++i) {
    const Json& operation = operations[i];
    const std::string_view op = MemberText(operation, "op");
    const Json* path_text = Member(operation, "path");
    const auto path =
        path_text != nullptr && path_text->IsString() ? Tokens(Text(*path_text)) : std::nullopt;
    if (!path.has_value()) return fmt::format("operation {}: path is no JSON Pointer", i);
    const Json* value = Member(operation, "value");
    const bool needs_value = op == "add" || op == "replace" || op == "test";
    if (needs_value && value == nullptr) return fmt::format("operation {}: value is missing", i);

    bool done = false;
    if (op == "add") {
      done = Add(target, *path, Json(*value, pool), pool);
    } else if (op == "replace") {
      Json* present = path->empty() ? nullptr : Find(target, *path, path->size());
      if (present != nullptr) present->CopyFrom(*value, pool);
      done = present != nullptr;
    } else if (op == "remove") {
      done = Remove(target, *path);
    } else if (op == "test") {
      const Json* present = Find(target, *path, path->size());
      done = present != nullptr && *present == *value;
    } else if (op == "copy" || op == "move") {
      const Json* from_text = Member(operation, "from");
      const auto from =
          from_text != nullptr && from_text->IsString() ? Tokens(Text(*from_text)) : std::nullopt;
      const Json* source = from.has_value() ? Find(target, *from, from->size()) : nullptr;
      if (source != nullptr) {
        Json copy(*source, pool);
        done = (op == "copy" || Remove(target, *from)) && Add(target, *path, std::move(copy), pool);
      }
    } else {
      return fmt::format("operation {}: op is none of add, replace, remove, test, copy, move", i);
    }
    if (!done) return fmt::format("operation {}: {} cannot be done at this path", i, op);
  }
  return "";
}

}  // namespace simpul::sandbox
