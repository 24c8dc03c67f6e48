# Node 24 with its headers: the machine's own when it is new enough and has them, else the npm package of the runtime.

node_missing() {
  node_folder=$(machine_node_folder || true)
  if [[ -z $node_folder ]]; then
    node_folder=$toolchain/node-$node_version
    step_title="Node $node_version"
    [[ -x $node_folder/bin/node ]] || return 0
  fi
  link_current node "$node_folder"
  return 1
}

machine_node_folder() {
  local node folder
  node=$(command -v node) || return 1
  folder=$("$node" -e '
    const path = require("node:path")
    if (Number(process.versions.node.split(".")[0]) >= Number(process.argv[1])) {
      console.log(path.dirname(path.dirname(process.execPath)))
    }' "$node_minimum_major")
  [[ -n $folder && -e $folder/include/node/node_api.h ]] || return 1
  # Headers of another version than the binary's would build an addon that crashes.
  grep -q "define NODE_MAJOR_VERSION $("$node" -p 'process.versions.node.split(".")[0]')\$" \
    "$folder/include/node/node_version.h" || return 1
  echo "$folder"
}

node_install() {
  local arch integrity unpacked=$toolchain/tmp/node
  case $(uname -m) in
    x86_64) arch=x64 integrity=$node_integrity_x64 ;;
    aarch64) arch=arm64 integrity=$node_integrity_arm64 ;;
    *) fail "no Node $node_version for the machine type $(uname -m); install Node $node_minimum_major with its headers" ;;
  esac
  fetch_npm "node-linux-$arch@$node_version" "$integrity" "$unpacked" --strip-components=1
  chmod +x "$unpacked/bin/node"
  [[ $("$unpacked/bin/node" -p process.versions.node) == "$node_version" ]] || fail "Node $node_version does not start"
  mv -T "$unpacked" "$node_folder"
  link_current node "$node_folder"
}
