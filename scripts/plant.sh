#!/usr/bin/env bash
# Plants a bug in a copy of the sources that a worker needs: build/planted/<name>, with test/faults/planted/<name>.patch applied. Its addon is this
# repository's, compiled anew where the patch touches it. scripts/setup.sh --test must have run before (`npm run test:faults` sees to it).
#
#   scripts/plant.sh <name>
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/addon-copy.sh

name=$1
patch=test/faults/planted/$name.patch
copy=build/planted/$name

# Times are kept, and with them what is compiled: make does what the patch has changed.
rm -rf "$copy"
mkdir -p "$copy/build"
cp -a build/Release "$copy/build/"
git ls-files -z --cached --others --exclude-standard -- \
  src native binding.gyp package.json test/support/topologies | xargs -0 cp -p --parents -t "$copy"
ln -s "$PWD/node_modules" "$copy/node_modules"

# From the repository's root: below it, git leaves out what is not below.
git apply --directory="$copy" "$patch" 2>/dev/null || {
  echo "$patch no longer applies to the sources" >&2
  exit 1
}
grep -q '^+++ b/native/' "$patch" || exit 0

cd "$copy"
build_addon_copy
