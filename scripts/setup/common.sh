# Shared by the steps of setup.sh: places, messages, the lock, downloads from npm, atomic installs.

toolchain=${WEIR_TOOLCHAIN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
current=$toolchain/current
logs=$toolchain/logs
jobs=$(nproc)

fail() {
  echo "setup: $*" >&2
  exit 1
}

# One set-up at a time for a toolchain folder. The lock is the open file, so it ends with the process, however that ends;
# what runs in a step gets the descriptor closed (see run_logged), so nothing can keep it.
lock_toolchain() {
  mkdir -p "$toolchain" "$current" "$logs"
  exec 9>"$toolchain/.lock"
  if ! flock --nonblock 9; then
    echo "setup: another set-up is running; waiting for it"
    flock 9
  fi
  rm -rf "$toolchain/tmp" # what an interrupted set-up left
  mkdir -p "$toolchain/tmp"
}

# A step `x` is two functions: `x_missing` succeeds when there is work, and sets `step_title`; `x_install` does it.
planned=()
plan_steps() { planned+=("$@"); }

run_steps() {
  local number=0 step started
  for step in "${planned[@]}"; do
    number=$((number + 1))
    step_title=$step
    "${step}_missing" || continue
    echo "[$number/${#planned[@]}] $step_title ..."
    started=$SECONDS
    "${step}_install"
    echo "[$number/${#planned[@]}] $step_title: done in $((SECONDS - started)) s"
  done
}

# run_logged <name> <command...>: output goes to a log; when the command fails its end is shown. The command may report
# progress to the terminal on descriptor 3.
run_logged() {
  local name=$1 log=$logs/$1.log
  shift
  if ! "$@" 3>&1 >"$log" 2>&1 9>&-; then
    tail -n 40 "$log" >&2
    fail "$name failed; the whole log: $log"
  fi
}

short_hash() { sha256sum | cut -c1-10; }

# link_current <name> <folder>: points current/<name> at the folder, atomically.
link_current() {
  [[ $(readlink "$current/$1" || true) != "$2" ]] || return 0
  ln -sfn "$2" "$toolchain/tmp/link-$1"
  mv -T "$toolchain/tmp/link-$1" "$current/$1"
}

# fetch_npm <name@version> <sha512 integrity> <folder> [members...]: unpacks a package of the registry, or the given members
# of it. No install script runs.
fetch_npm() {
  local package=$1 integrity=$2 folder=$3 download archive expected actual
  shift 3
  download=$(mktemp -d "$toolchain/tmp/download-XXXXXX")
  (cd "$download" && npm pack "$package" --ignore-scripts --silent --loglevel=error >/dev/null) \
    || fail "npm could not download $package"
  archive=$(find "$download" -name '*.tgz')
  expected=$(base64 -d <<<"${integrity#sha512-}" | od -An -v -tx1 | tr -d ' \n')
  actual=$(sha512sum "$archive" | cut -d' ' -f1)
  [[ $actual == "$expected" ]] || fail "$package: the checksum is $actual, expected $expected"
  mkdir -p "$folder"
  tar -xzf "$archive" -C "$folder" --no-same-owner "$@"
  rm -rf "$download"
}
