# The native addon, build/Release/weir.node. Rebuilt when a source, the build's description or a library has changed.

addon_file=build/Release/weir.node

addon_missing() {
  step_title='native addon'
  addon_key=$(addon_inputs | short_hash)
  [[ $addon == always || ! -e $addon_file || $(cat "$addon_file.key" 2>/dev/null || true) != "$addon_key" ]]
}

addon_inputs() {
  echo "$rocksdb_folder $librdkafka_folder $(readlink "$current/node")"
  find native -path native/test -prune -o -type f \( -name '*.cc' -o -name '*.h' \) -print0 | sort -z | xargs -0 sha256sum
  sha256sum binding.gyp package-lock.json 2>/dev/null || true # a package has no lock file
}

# `configure build`, not `rebuild`: make compiles only what has changed, and build/ is not emptied.
addon_install() {
  local node_gyp=node_modules/node-gyp/bin/node-gyp.js modules=
  if $in_package; then
    node_gyp=${npm_config_node_gyp:-$(npm root --global)/npm/node_modules/node-gyp/bin/node-gyp.js} # npm sets it for install scripts
    modules=$toolchain/tmp/node_modules
    fetch_npm "$node_addon_api_package" "$node_addon_api_integrity" "$modules/node-addon-api" --strip-components=1
  fi
  run_logged addon env NODE_PATH="$modules" WEIR_ROCKSDB="$rocksdb_folder" WEIR_LIBRDKAFKA="$librdkafka_folder" \
    PATH="$current/node/bin:$PATH" \
    node "$node_gyp" configure build \
    --nodedir="$(readlink -f "$current/node")" --jobs="$jobs" --loglevel=warn
  "$current/node/bin/node" -e 'require(process.argv[1])' "$repo/$addon_file" || fail 'the addon does not load'
  echo "$addon_key" >"$addon_file.key"
}
