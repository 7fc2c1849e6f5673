#!/usr/bin/env bash
# buf's STANDARD lint of the protos, and no breaking change against the contract as released.
#
# tests/data/contract/released.binpb is the contract's descriptor image at the last release. After a release:
#   tests/house/contract_test.sh --release
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
version=1.57.2
folder=${XDG_CACHE_HOME:-$HOME/.cache}/simpul/buf-$version
buf=$folder/node_modules/.bin/buf
if [ ! -x "$buf" ]; then
  mkdir -p "$folder"
  npm install --silent --no-audit --no-fund --no-save --prefix "$folder" "@bufbuild/buf@$version"
fi
released=$root/tests/data/contract/released.binpb
cd "$root/protos"
if [ "${1:-}" = --release ]; then
  "$buf" build . -o "$released"
  echo "the contract as it is now is the released one: $released"
  exit 0
fi
"$buf" lint .
"$buf" breaking . --against "$released"
echo "contract: lint and breaking-change check passed"
