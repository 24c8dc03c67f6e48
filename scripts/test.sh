#!/usr/bin/env bash
# Runs the tests. scripts/setup.sh --test must have run before (npm's scripts see to it).
#
#   scripts/test.sh             everything but sanitize
#   scripts/test.sh <suite>...  unit, native, real (broker, services, oracle, faults: real servers), sanitize
#   scripts/test.sh <file>...   these TypeScript tests
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=$(nproc)

# What Node makes of a TypeScript file is kept: every test file is a process, and starts others.
export NODE_COMPILE_CACHE=$PWD/build/compile-cache

# node_tests <node's options> -- <folders or files>: every *.test.ts under them, in one run of Node's test runner.
node_tests() {
  local options=() files=()
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  mapfile -t files < <(find "$@" -name '*.test.ts' 2>/dev/null | sort)
  if ((${#files[@]} == 0)); then
    echo "no tests under $*"
    return 0
  fi
  scripts/node --test "${options[@]}" "${files[@]}"
}

# core_tests <build folder> <cmake's options>: builds the C++ core's tests and runs them, in four processes: they wait for most of their time.
core_tests() {
  local folder=$1
  shift
  cmake -S native -B "$folder" "$@" >/dev/null
  cmake --build "$folder" --parallel "$jobs" -- --quiet
  local shards=() shard result=0
  for shard in 0 1 2 3; do
    GTEST_TOTAL_SHARDS=4 GTEST_SHARD_INDEX=$shard "$folder/weir_core_test" --gtest_brief=1 &
    shards+=($!)
  done
  for shard in "${shards[@]}"; do wait "$shard" || result=1; done
  return "$result"
}

# By default Node leaves a core idle.
suite_unit() { node_tests "--test-concurrency=$jobs" --test-reporter=spec -- test/unit test/native test/model; }

suite_native() { core_tests build/native; }

# Two files at a time: each waits for its servers and sessions half of the time. More would crowd them off the cores.
suite_real() { node_tests --test-concurrency=2 --test-reporter=spec -- test/services test/broker test/oracle test/faults; }

# RocksDB is not instrumented, so a vector that it grows looks overflown to the check of containers.
suite_sanitize() {
  ASAN_OPTIONS=detect_container_overflow=0:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    core_tests build/native-asan -DWEIR_SANITIZE=ON
}

suites=("$@")
((${#suites[@]} > 0)) || suites=(unit native real)

if ! declare -F "suite_${suites[0]}" >/dev/null && [[ -e ${suites[0]} ]]; then
  node_tests --test-concurrency=1 --test-reporter=spec -- "${suites[@]}"
  exit
fi

failed=()
for suite in "${suites[@]}"; do
  if ! declare -F "suite_$suite" >/dev/null; then
    echo "no suite or file '$suite'; suites: unit, native, real, sanitize" >&2
    exit 2
  fi
  echo "== $suite"
  # Its own shell, because `set -e` is off in a function that is called in a condition.
  ( suite_"$suite" ) & wait $! || failed+=("$suite")
done

if ((${#failed[@]} > 0)); then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "passed: ${suites[*]}"
