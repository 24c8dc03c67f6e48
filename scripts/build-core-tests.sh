#!/usr/bin/env bash
# Builds the C++ core's tests with cmake, which compiles only what has changed. RocksDB and librdkafka must have been built by
# scripts/setup.sh.
#
#   scripts/build-core-tests.sh <build folder> [cmake's options]
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S native -B "$@" >/dev/null
cmake --build "$1" --parallel "$(nproc)" -- --quiet
