# The C++ core's tests, build/native/weir_core_test. Built when a source, the build's description or a library has changed, as
# the addon is: what `npm test` takes is the tests' own time.

core_tests_folder=build/native

core_tests_missing() {
  step_title="the C++ core's tests"
  core_tests_key=$(core_tests_inputs | short_hash)
  [[ ! -e $core_tests_folder/weir_core_test || $(cat "$core_tests_folder/tests.key" 2>/dev/null || true) != "$core_tests_key" ]]
}

core_tests_inputs() {
  echo "$rocksdb_folder $librdkafka_folder"
  find native -path native/binding -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
}

core_tests_install() {
  run_logged core-tests bash scripts/build-core-tests.sh "$core_tests_folder"
  echo "$core_tests_key" >"$core_tests_folder/tests.key"
}
