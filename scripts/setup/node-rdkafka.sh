# node-rdkafka for tests, verifiers and peers: another client than Weir's own. Its native part is built once for a toolchain
# folder, against the librdkafka of the set-up, and linked into node_modules.

node_rdkafka_missing() {
  local version key
  version=$("$current/node/bin/node" -p 'require("./node_modules/node-rdkafka/package.json").version')
  key=$(short_hash <<<"$(basename "$librdkafka_folder") $(readlink "$current/node")")
  node_rdkafka_folder=$toolchain/node-rdkafka-${version#v}-$key
  step_title="node-rdkafka ${version#v}"
  [[ -d $node_rdkafka_folder ]] || return 0
  link_node_rdkafka
  return 1
}

node_rdkafka_install() {
  local source=$toolchain/tmp/node-rdkafka
  mkdir -p "$source/link"
  cp -r node_modules/node-rdkafka/{binding.gyp,package.json,src,util} "$source/"
  # It links with -lrdkafka -lrdkafka++, which is too little for static libraries and in the wrong order: under these names
  # the linker finds scripts that list everything.
  echo "GROUP($librdkafka_folder/lib/librdkafka++.a $librdkafka_folder/lib/librdkafka.a" \
    "-l:libssl.a -l:libcrypto.a -l:libz.a -l:libzstd.a -l:liblz4.a)" >"$source/link/librdkafka.so"
  cp "$source/link/librdkafka.so" "$source/link/librdkafka++.so"
  run_logged node-rdkafka env -C "$source" NODE_PATH="$repo/node_modules" PATH="$current/node/bin:$PATH" \
    BUILD_LIBRDKAFKA=0 CXXFLAGS="-w -I$librdkafka_folder/include/librdkafka" \
    LDFLAGS="-L$source/link -Wl,--exclude-libs,ALL" \
    node "$repo/node_modules/node-gyp/bin/node-gyp.js" rebuild \
    --nodedir="$(readlink -f "$current/node")" --jobs="$jobs" --loglevel=warn
  mkdir "$source/out"
  mv "$source/build/Release/node-librdkafka.node" "$source/out/"
  mv -T "$source/out" "$node_rdkafka_folder"
  link_node_rdkafka
  "$current/node/bin/node" -e '
    const { librdkafkaVersion } = require("node-rdkafka")
    console.log(`      node-rdkafka loads, with librdkafka ${librdkafkaVersion}`)'
}

link_node_rdkafka() {
  local release=node_modules/node-rdkafka/build/Release
  [[ $(readlink "$release/node-librdkafka.node" || true) != "$node_rdkafka_folder/node-librdkafka.node" ]] || return 0
  mkdir -p "$release"
  ln -sfn "$node_rdkafka_folder/node-librdkafka.node" "$release/node-librdkafka.node"
}
