# Sourced by scripts that work on a copy of the sources. REQUIRES that scripts/setup.sh has run.

# build_addon_copy [<variable>=<value>...]: builds the addon of the copy that is the current folder, in its build/; make compiles what has changed there.
build_addon_copy() {
  local toolchain=${WEIR_TOOLCHAIN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weir} current
  current=$(readlink -f "$toolchain/current")
  # Of the user's npm settings: node-gyp would prefer npm_config_nodedir to the headers that it is told to use.
  env --unset=npm_config_nodedir \
    WEIR_ROCKSDB="$(readlink -f "$current/rocksdb")" WEIR_LIBRDKAFKA="$(readlink -f "$current/librdkafka")" \
    PATH="$current/node/bin:$PATH" "$@" \
    node node_modules/node-gyp/bin/node-gyp.js configure build \
    --nodedir="$(readlink -f "$current/node")" --jobs="$(nproc)" --loglevel=warn >build.log 2>&1 \
    || { tail -n 40 build.log >&2; return 1; }
}
