#!/usr/bin/env bash
# Prepares this machine and this clone: build tools, Node 24, RocksDB, librdkafka, npm packages, the native addon.
# Every step looks first and does nothing when its result is there, so a second run takes seconds.
#
#   scripts/setup.sh            what running Weir needs
#   scripts/setup.sh --test     also what the tests and benches need: Java, the servers' jars, GoogleTest, node-rdkafka, and the C++ core's
#                               tests, compiled
#   scripts/setup.sh --check    also what `npm run check` needs: clang-format, clang-tidy, Kubernetes' schemas
#   scripts/setup.sh --addon    runs the addon's build even when nothing seems to have changed
#   scripts/setup.sh --no-addon everything but the addon
#   scripts/setup.sh --package  in an installed package (npm's install script): builds its addon; installs nothing into the system
#   scripts/setup.sh --pin-services  writes test/services/*.sha256 anew, after a pom there has changed
#
# Libraries go to WEIR_TOOLCHAIN_DIR (default ~/.cache/weir), keyed by version and flags and shared by all clones.
set -euo pipefail
export LC_ALL=C # one sort order for the lists that are hashed and compared
unset npm_config_nodedir # of the user's npm settings: node-gyp would prefer it to the headers that it is told to use

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repo"
. scripts/setup/versions.sh
. scripts/setup/common.sh
. scripts/setup/system-packages.sh
. scripts/setup/node.sh
. scripts/setup/npm-packages.sh
. scripts/setup/libraries.sh
. scripts/setup/addon.sh
. scripts/setup/core-tests.sh
. scripts/setup/node-rdkafka.sh
. scripts/setup/services.sh
. scripts/setup/prometheus.sh
. scripts/setup/kubernetes-schemas.sh

with_test=false with_check=false addon=when-changed pin=false in_package=false
for argument in "$@"; do
  case $argument in
    --test) with_test=true ;;
    --check) with_check=true ;;
    --addon) addon=always ;;
    --no-addon) addon=never ;;
    --package) in_package=true addon=always ;;
    --pin-services) pin=true ;;
    *) fail "unknown argument '$argument'; allowed: --test, --check, --addon, --no-addon, --package, --pin-services" ;;
  esac
done

if $in_package; then
  system_packages_missing && system_packages_refuse
  lock_toolchain
  plan_steps node libraries addon
  run_steps
  exit
fi
lock_toolchain
if $pin; then
  pin_services
  exit
fi
plan_steps system_packages node npm_packages libraries
[[ $addon == never ]] || plan_steps addon
if $with_test; then plan_steps core_tests node_rdkafka services prometheus; fi
if $with_test || $with_check; then plan_steps kubernetes_schemas; fi
run_steps
