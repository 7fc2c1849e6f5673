// Searches and reads, as the platform answers them.
//
// A parameter that a type does not know is dropped without a word, as the platform does: the self
// link shows what was applied, and a search of which nothing is left finds every resource of its
// type.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lib/rpc/http_server.h"
#include "sandbox/people.h"
#include "sandbox/store.h"

namespace simpul::sandbox {

using Query = std::multimap<std::string, std::string>;

// GET /fhir-r4/v1/<type>?...; `base` is the URL of the FHIR API without a slash at its end.
rpc::HttpResponse Search(const Store& store, std::string_view type, const Query& query,
                         std::string_view base);

// GET /fhir-r4/v1/Patient?... and Practitioner?...: by identifier (NIK, mother's NIK, platform
// number), or by name with birth date and sex.
rpc::HttpResponse SearchPatients(const People& people, const Query& query, std::string_view base);
rpc::HttpResponse SearchPractitioners(const People& people, const Query& query,
                                      std::string_view base);

// A person as the platform shows them: masked, and without what it keeps to itself.
std::string PatientJson(const Person& person, bool with_birth_date);
std::string PractitionerJson(const Person& person);

}  // namespace simpul::sandbox
