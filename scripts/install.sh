#!/bin/sh
# npm's install script of the package. Does nothing where the addon that the package carries loads; elsewhere it is built from the
# sources that the package carries (scripts/setup.sh --package), or one line says what that needs.
set -eu
cd "$(dirname "$0")/.."

# A clone has its own set-up.
[ ! -e scripts/test.sh ] || exit 0

load='try { require(process.argv[1]) } catch (error) { console.log(error.message.split("\n")[0]); process.exit(1) }'
if why=$(node -e "$load" "$PWD/build/Release/weir.node" 2>&1); then exit 0; fi

if ! command -v bash >/dev/null; then
  echo "weir: the addon in the package does not load here (${why:-it ends the process}); to build it, bash is needed" >&2
  exit 1
fi
echo "weir: the addon in the package does not load here (${why:-it ends the process}); building it from source, which takes minutes" >&2
exec bash scripts/setup.sh --package
