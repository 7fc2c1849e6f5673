#!/bin/sh
# R4 validation of FHIR JSON files by HAPI, the engine of HL7's own validator.
#   validate.sh [-v] [FILE...]     without files: every Bundle of tests/data/fhir
# Downloads the validator with Maven the first time and works without network afterwards. Needs java
# 17 or later and, the first time, mvn. Exit status 0: no error.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
tool=$root/tests/support/fhir_validator
sum=$(sha256sum "$tool/pom.xml" | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/simpul/fhir-validator/$sum

if [ ! -f "$cache/complete" ]; then
  echo "fetching the FHIR validator into $cache"
  mkdir -p "$(dirname "$cache")"
  fetched=$(mktemp -d "$cache.XXXXXX")
  trap 'rm -rf "$fetched"' EXIT
  mvn -q -B -Dstyle.color=never -f "$tool/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$fetched/jars"
  touch "$fetched/complete"
  mv -T "$fetched" "$cache" 2>/dev/null || [ -f "$cache/complete" ] # another run was faster
fi

verbose=
if [ "${1-}" = -v ]; then
  verbose=-v
  shift
fi
[ $# -gt 0 ] || set -- "$root"/tests/data/fhir/*.json
exec java -Xmx768m -XX:+UseSerialGC -cp "$cache/jars/*" "$tool/Validate.java" $verbose "$@"
