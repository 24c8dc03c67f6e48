#!/usr/bin/env bash
# Runs the addon's tests under AddressSanitizer: in a copy of the sources, with an addon of its own, both in build/asan. RocksDB
# and librdkafka are not instrumented; what they do with memory that Weir's code has freed is found all the same.
# scripts/setup.sh --test must have run before (`npm run test:asan` sees to it).
#
#   scripts/test-asan.sh            the addon's unit tests, and threads and groups on a real broker
#   scripts/test-asan.sh <file>...  these tests
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/addon-copy.sh

copy=build/asan

# Times are kept, so that make compiles only what has changed.
mkdir -p "$copy"
find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [[ ! -e $file ]] || printf '%s\0' "$file"
done | xargs -0 cp -p --parents -t "$copy"
ln -s "$PWD/node_modules" "$copy/node_modules"
cd "$copy"

echo 'building the addon with AddressSanitizer'
build_addon_copy WEIR_BUILD_SANITIZER=address

tests=("$@")
if ((${#tests[@]} == 0)); then
  mapfile -t tests < <(find test/unit/native -name '*.test.ts' | sort)
  tests+=(test/broker/threads.test.ts test/broker/groups.test.ts)
fi
# Node is not instrumented, so the sanitizer has to be there before it. It frees nothing when it ends, and a vector that
# RocksDB grows looks overflown to the check of containers.
LD_PRELOAD=$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0:detect_container_overflow=0 \
  scripts/node --test --test-concurrency=1 --test-reporter=spec "${tests[@]}"
