#!/usr/bin/env bash
# Every check that runs nothing: types, lint and format of TypeScript, format and lint of C++, what deploys Weir, the tidy
# test. All of them run, then the failed ones are named. scripts/setup.sh --check must have run before (`npm run check` sees to it).
set -euo pipefail
cd "$(dirname "$0")/.."

failed=()
check() {
  local name=$1
  shift
  echo "== $name"
  "$@" || failed+=("$name")
}

cxx_files() { find native \( -name '*.cc' -o -name '*.h' \) | sort; }

# Minutes of work, so not done again for sources that were found clean.
clang_tidy() {
  local sources
  sources=$(cxx_files | xargs cat .clang-tidy native/CMakeLists.txt | sha256sum)
  [[ -f build/native/linted && $(<build/native/linted) == "$sources" ]] && return
  cmake -S native -B build/native >/dev/null
  find native -name '*.cc' -not -path 'native/binding/*' -not -path 'native/test/*' | sort \
    | xargs -P "$(nproc)" -n 4 clang-tidy -p build/native --quiet || return
  echo "$sources" >build/native/linted
}

check types scripts/node node_modules/typescript/bin/tsc --noEmit
check "types of the console's page" scripts/node node_modules/typescript/bin/tsc -p src/console/page
check 'lint and format' scripts/node node_modules/@biomejs/biome/bin/biome check --error-on-warnings .
check 'C++ format' bash -c 'clang-format --dry-run --Werror "$@"' clang-format $(cxx_files)
check 'C++ lint' clang_tidy
check deploy scripts/node scripts/check-deploy.ts
check tidy scripts/node --test --test-reporter=dot test/unit/tidy.test.ts

if ((${#failed[@]} > 0)); then
  echo "failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
  exit 1
fi
echo 'all checks passed'
