#include "lib/deliver/patient_query.h"

#include <algorithm>

#include "lib/deliver/answer_json.h"

namespace simpul::deliver {

std::vector<PatientQuery> QueriesFor(const event::v1::Subject& subject) {
  std::vector<PatientQuery> queries;
  for (const event::v1::Identity& identity : subject.identities()) {
    if (identity.has_nik()) {
      queries.insert(queries.begin(),
                     PatientQuery{PatientQuery::Way::kNik, identity.nik().number()});
    } else if (identity.has_newborn()) {
      const event::v1::Newborn& newborn = identity.newborn();
      PatientQuery query{PatientQuery::Way::kMother, newborn.mother_nik(), newborn.birth_date(),
                         newborn.birth_order()};
      queries.push_back(query);
      if (subject.name().empty()) continue;
      query.way = PatientQuery::Way::kMotherAndName;
      query.name = subject.name();
      queries.push_back(std::move(query));
    }
  }
  if (queries.empty() && !subject.name().empty() && !subject.birth_date().empty() &&
      subject.sex() != event::v1::SEX_UNSPECIFIED) {
    PatientQuery query{PatientQuery::Way::kPerson};
    query.birth_date = subject.birth_date();
    query.name = subject.name();
    query.sex = subject.sex();
    queries.push_back(std::move(query));
  }
  return queries;
}

PatientChoice Choose(const PatientQuery& query, const std::vector<PatientRow>& rows) {
  std::vector<PatientRow> left = rows;
  const bool by_mother =
      query.way == PatientQuery::Way::kMother || query.way == PatientQuery::Way::kMotherAndName;
  bool orders_told = false;
  if (by_mother) {
    std::erase_if(left, [&](const PatientRow& row) {
      return !row.birth_date.empty() && row.birth_date != query.birth_date;
    });
    orders_told = std::any_of(left.begin(), left.end(),
                              [](const PatientRow& row) { return row.birth_order != 0; });
    if (orders_told) {
      std::erase_if(left,
                    [&](const PatientRow& row) { return row.birth_order != query.birth_order; });
    }
  }
  // The platform may list one patient twice.
  std::sort(left.begin(), left.end(),
            [](const PatientRow& a, const PatientRow& b) { return a.id < b.id; });
  left.erase(std::unique(left.begin(), left.end(),
                         [](const PatientRow& a, const PatientRow& b) { return a.id == b.id; }),
             left.end());
  if (left.empty()) return {PatientChoice::Kind::kUnknown, ""};
  if (left.size() > 1) return {PatientChoice::Kind::kAmbiguous, ""};
  const bool may_be_the_twin =
      query.way == PatientQuery::Way::kMother && query.birth_order > 1 && !orders_told;
  if (may_be_the_twin) return {PatientChoice::Kind::kAmbiguous, ""};
  return {PatientChoice::Kind::kFound, left.front().id};
}

PatientStep NextStepOf(const std::vector<PatientQuery>& queries, size_t nth,
                       PatientChoice::Kind kind) {
  using Way = PatientQuery::Way;
  if (kind == PatientChoice::Kind::kFound) return {};
  if (kind == PatientChoice::Kind::kAmbiguous) {
    const bool narrower = queries[nth].way == Way::kMother && nth + 1 < queries.size() &&
                          queries[nth + 1].way == Way::kMotherAndName;
    if (narrower) return {nth + 1, ""};
    return {std::nullopt, "patient_ambiguous"};
  }
  // The mother has children of that day, and none is known by the name.
  if (queries[nth].way == Way::kMotherAndName) return {std::nullopt, "patient_ambiguous"};
  size_t next = nth + 1;
  while (next < queries.size() && queries[next].way == Way::kMotherAndName) ++next;
  if (next < queries.size()) return {next, ""};
  return {std::nullopt, "patient_unknown"};
}

std::vector<PatientRow> ReadPatients(std::string_view body) {
  std::vector<PatientRow> rows;
  rapidjson::Document document;
  if (!ParseObject(body, document)) return rows;
  ForEachResource(document, [&](const rapidjson::Value& resource) {
    if (Text(resource, "resourceType") != "Patient") return;
    PatientRow row{Text(resource, "id"), Text(resource, "birthDate")};
    const rapidjson::Value* order = Member(resource, "multipleBirthInteger");
    if (order != nullptr && order->IsUint()) row.birth_order = order->GetUint();
    if (!row.id.empty()) rows.push_back(std::move(row));
  });
  return rows;
}

}  // namespace simpul::deliver
