#!/usr/bin/env bash
# Rewrites what can be rewritten: the format of TypeScript, JSON and C++, the order of imports, the safe fixes of the lint.
set -euo pipefail
cd "$(dirname "$0")/.."

find native \( -name '*.cc' -o -name '*.h' \) -print0 | xargs -0 clang-format -i
scripts/node node_modules/@biomejs/biome/bin/biome check --write .
