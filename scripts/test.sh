#!/usr/bin/env bash
# Runs the tests. scripts/setup.sh --test must have run before (npm's scripts see to it).
#
#   scripts/test.sh             everything but sanitize
#   scripts/test.sh <suite>...  unit, native, real (broker, services, oracle, faults: real servers), faults (schedules of faults), sanitize
#   scripts/test.sh <file>...   these TypeScript tests
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=$(nproc)

# What Node makes of a TypeScript file is kept: every test file is a process, and starts others.
export NODE_COMPILE_CACHE=$PWD/build/compile-cache

# Databases and logs are in memory where there is room: a disk takes as long to create and to sync files as all else takes together.
memory_files=/dev/shm
room() { # gigabytes: of the file system, and of the memory that is behind it
  df --output=avail --block-size=1G "$memory_files" 2>/dev/null | tail -n 1 || echo 0
  awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo
}
if (($(room | sort --numeric-sort | head -n 1) >= 8)); then
  # What a killed run has left there would take up memory for good.
  for left in "$memory_files"/weir-test-*; do kill -0 "${left##*-}" 2>/dev/null || rm -rf "$left" || true; done
  export TMPDIR=$memory_files/weir-test-$$
  mkdir "$TMPDIR"
  trap 'rm -rf "$TMPDIR"' EXIT
fi

# The test files that take longest, which start first: one that starts last leaves a core idle.
longest=(
  test/model/window-stores
  test/model/key-value-stores
  test/unit/testing/topology-test-driver
  test/unit/native/lifecycle
  test/model/versioned-stores
  test/model/session-stores
  test/unit/cli/package
  test/model/async-processors
  test/broker/migration
  test/broker/cassandra
  test/broker/tiered-state
  test/oracle/topologies
  test/broker/lifecycle
  test/broker/exactly-once
  test/broker/kill
  test/broker/error-table
  test/broker/error-handlers
  test/broker/async-processors
  test/broker/groups
  test/broker/recovery
  test/broker/avro
  test/broker/static-members
  test/oracle/protobuf
  test/broker/lifecycle-ends
  test/broker/reset
  test/broker/moving-tasks
  test/broker/bench-verifier
  test/broker/threads
)

# node_tests <files at a time> <folders or files>...: every *.test.ts under them, in one run of Node's test runner.
node_tests() {
  local files=()
  mapfile -t files < <(find "${@:2}" -name '*.test.ts' ! -path "${except:-}" 2>/dev/null | sort | longest_first)
  if ((${#files[@]} == 0)); then
    echo "no tests under ${*:2}"
    return 0
  fi
  scripts/node scripts/run-tests.ts "$1" "${files[@]}"
}

longest_first() {
  awk 'NR == FNR { rank[$0 ".test.ts"] = FNR; next } { print ($0 in rank ? rank[$0] : FNR + 1e6) "\t" $0 }' \
    <(printf '%s\n' "${longest[@]}") - | sort --numeric-sort | cut --fields=2
}

# core_tests <build folder>: runs the C++ core's tests that are in it, in four processes: they wait for most of their time.
core_tests() {
  local shards=() shard result=0
  for shard in 0 1 2 3; do
    GTEST_TOTAL_SHARDS=4 GTEST_SHARD_INDEX=$shard "$1/weir_core_test" --gtest_brief=1 &
    shards+=($!)
  done
  for shard in "${shards[@]}"; do wait "$shard" || result=1; done
  return "$result"
}

suite_unit() { node_tests "$jobs" test/unit test/native test/model; }

suite_native() { core_tests build/native; }

# Two files at a time: each waits for its servers and sessions half of the time, and has tests that run beside each other.
suite_real() { except=test/faults/schedules.test.ts node_tests 2 test/services test/broker test/oracle test/faults; }

# Three brokers and two applications, whose sessions are as short as can be: by themselves.
suite_faults() { node_tests 1 test/faults/schedules.test.ts; }

# Built here, since nothing else runs it. RocksDB is not instrumented, so a vector that it grows looks overflown to the check of
# containers.
suite_sanitize() {
  bash scripts/build-core-tests.sh build/native-asan -DWEIR_SANITIZE=ON
  ASAN_OPTIONS=detect_container_overflow=0:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    core_tests build/native-asan
}

suites=("$@")
((${#suites[@]} > 0)) || suites=(unit native real faults)

if ! declare -F "suite_${suites[0]}" >/dev/null && [[ -e ${suites[0]} ]]; then
  node_tests 1 "${suites[@]}"
  exit
fi

# The core's tests wait for most of their time: beside another suite they cost little. What they print comes in their turn.
native_log=
if ((${#suites[@]} > 1)) && [[ " ${suites[*]} " == *" native "* ]]; then
  native_log=$(mktemp)
  suite_native >"$native_log" 2>&1 &
  native=$!
fi

failed=()
for suite in "${suites[@]}"; do
  if ! declare -F "suite_$suite" >/dev/null; then
    echo "no suite or file '$suite'; suites: unit, native, real, faults, sanitize" >&2
    exit 2
  fi
  echo "== $suite"
  if [[ $suite == native && -n $native_log ]]; then
    wait "$native" || failed+=(native)
    cat "$native_log"
    rm "$native_log"
    continue
  fi
  # Its own shell, because `set -e` is off in a function that is called in a condition.
  ( suite_"$suite" ) & wait $! || failed+=("$suite")
done

if ((${#failed[@]} > 0)); then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "passed: ${suites[*]}"
