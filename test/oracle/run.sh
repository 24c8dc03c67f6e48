#!/usr/bin/env bash
# Writes what Kafka Streams says into fixtures of the unit tests. Needs Java and the jars of `scripts/setup.sh --test`.
#
#   test/oracle/run.sh             all of them
#   test/oracle/run.sh <folder>    describe, errors, operators, topics, versioned, windows
set -euo pipefail
cd "$(dirname "$0")"
toolchain=${WEIR_TOOLCHAIN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
jars="$toolchain/services/streams/lib/*"

# For each folder: its program, and where that writes.
declare -A programs=([describe]=DescribeTopologies [operators]=RunOperators [errors]=RunErrors [topics]=RunTopics [versioned]=RunVersionedStores [windows]=RunStores)
declare -A fixtures=([describe]=topology [operators]=process/operators [errors]=testing [topics]=testing [versioned]=state [windows]=state)

classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
(($# > 0)) || set -- describe errors operators topics versioned windows
for folder in "$@"; do
  program=${programs[$folder]:-}
  if [[ -z $program ]]; then
    echo "no oracle '$folder'; there are: describe, errors, operators, topics, versioned, windows" >&2
    exit 2
  fi
  javac -cp "$jars" -d "$classes/$folder" "$folder"/*.java
  java -cp "$jars:$classes/$folder" -Dorg.slf4j.simpleLogger.defaultLogLevel=error "$program" \
    "../unit/${fixtures[$folder]}/fixtures"
done
