#!/usr/bin/env bash
# Makes the package's dist/: JavaScript in a few files, declarations, and the example that `weir demo` runs. scripts/setup.sh
# must have run before (`npm run build` sees to it).
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { scripts/node node_modules/typescript/bin/tsc -p "$1"; }

rm -rf dist build/demo
scripts/node scripts/bundle.ts
compile tsconfig.build.json
compile tsconfig.build.demo.json

# What the console's page consists of is served as it is.
mkdir -p dist/console
cp -r src/console/page dist/console/page

# An example imports Weir from ../../src; in the package that is ../.. itself.
example=examples/segmentation
mkdir -p "dist/$example"
for file in "build/demo/$example"/*.js; do
  sed "s|'\.\./\.\./src/|'../../|" "$file" >"dist/$example/$(basename "$file")"
done
