#!/usr/bin/env bash
# Writes what Kafka Streams' versioned stores answer to random commands into test/unit/state/fixtures. Needs Java and the jars of
# `scripts/setup.sh --test`.
set -euo pipefail
cd "$(dirname "$0")"
toolchain=${WEIR_TOOLCHAIN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
jars="$toolchain/services/streams/lib/*"
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
javac -cp "$jars" -d "$classes" RunVersionedStores.java
java -cp "$jars:$classes" -Dorg.slf4j.simpleLogger.defaultLogLevel=off RunVersionedStores ../../unit/state/fixtures
