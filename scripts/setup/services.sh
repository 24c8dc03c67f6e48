# The servers of the tests and benches, from Maven Central: services/<name>/lib/*.jar, and services/registry/ unpacked.
# test/services/<name>/pom.xml says what, test/services/<name>.sha256 what exactly must have come.

service_names=(kafka streams cassandra registry)
maven_dependency_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

services_missing() {
  local name
  missing_services=()
  for name in "${service_names[@]}"; do
    [[ $(cat "$toolchain/services/$name/.key" 2>/dev/null || true) == "$(service_key "$name")" ]] \
      || missing_services+=("$name")
  done
  step_title="servers for the tests (${missing_services[*]})"
  ((${#missing_services[@]} > 0))
}

service_key() { cat "test/services/$1/pom.xml" "test/services/$1.sha256" | short_hash; }

services_install() {
  local name new
  for name in "${missing_services[@]}"; do
    new=$toolchain/tmp/service-$name
    download_service "$name" "$new/lib"
    (cd "$new/lib" && sha256sum -- *) | diff - "test/services/$name.sha256" >"$logs/service-$name.diff" \
      || fail "$name: files differ from test/services/$name.sha256, see $logs/service-$name.diff"
    if [[ $name == registry ]]; then
      tar -xzf "$new"/lib/*.tar.gz -C "$new" --no-same-owner
      rm -r "$new/lib/"*.tar.gz
    fi
    service_key "$name" >"$new/.key"
    mkdir -p "$toolchain/services"
    if [[ -e $toolchain/services/$name ]]; then mv "$toolchain/services/$name" "$toolchain/tmp/old-$name"; fi
    mv -T "$new" "$toolchain/services/$name"
    echo "      $name"
  done
}

# download_service <name> <folder>: what the pom lists, with its runtime dependencies.
download_service() {
  run_logged "service-$1" mvn --batch-mode --file="test/services/$1/pom.xml" \
    "$maven_dependency_plugin:copy-dependencies" -DincludeScope=runtime -DoutputDirectory="$2"
}

# Writes the lists of checksums anew, after a pom has changed (setup.sh --pin-services).
pin_services() {
  local name
  for name in "${service_names[@]}"; do
    download_service "$name" "$toolchain/tmp/pin-$name"
    (cd "$toolchain/tmp/pin-$name" && sha256sum -- *) >"test/services/$name.sha256"
  done
}
