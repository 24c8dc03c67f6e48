#!/usr/bin/env bash
# Builds the image and tries it, without a daemon: buildah in a chroot, on a base that debootstrap makes of this machine's own release of Debian. What is
# tried: the demo; a word count on a real broker, stopped by SIGTERM and started again on the same volume; health check, user, read-only root. The report is
# deploy/image-report.md. Nothing listens but at 127.0.0.1.
#
#   scripts/verify-image.sh              as root; RocksDB and librdkafka are compiled in the build, which takes minutes
#   scripts/verify-image.sh --install    also installs what is missing: buildah, debootstrap (Debian packages)
#   scripts/verify-image.sh --libraries  with the libraries that this machine's set-up has compiled
#
# The folder build/image keeps the base for the next run.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "verify-image: $*" >&2
  exit 1
}

install=false libraries=false
for argument in "$@"; do
  case $argument in
    --install) install=true ;;
    --libraries) libraries=true ;;
    *) fail "unknown argument '$argument'; allowed: --install, --libraries" ;;
  esac
done
((EUID == 0)) || fail 'needs root: it mounts, and makes a base image with debootstrap'

missing=()
for command in buildah debootstrap; do command -v "$command" >/dev/null || missing+=("$command"); done
if ((${#missing[@]} > 0)); then
  $install || fail "missing: ${missing[*]} (Debian's names); install them, or start again with --install"
  apt-get update >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" >/dev/null
fi
bash scripts/setup.sh --test

work=$PWD/build/image
base=localhost/weir-base
image=localhost/weir
toolchain=${WEIR_TOOLCHAIN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
mkdir -p "$work/tmp"
echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >"$work/policy.json" # nothing is pulled: images are made here

in_storage() { TMPDIR=$work/tmp buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }

# As Debian's slim image: without recommended packages, documentation, manual pages and translations.
make_base() {
  local codename container rootfs sources mirror
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # This machine's own sources, so that its mirror is used.
  sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) main' 'Created-By: Packages' 'Component: main' \
    | awk -v name="$codename" '$3 == name || index($3, name "-") == 1' | sort -u)
  mirror=$(awk -v name="$codename" '$3 == name { print $2; exit }' <<<"$sources")
  [[ -n $mirror ]] || fail "apt has no source of $codename"
  echo "base: debootstrap $codename ..."
  container=$(in_storage from scratch)
  rootfs=$(in_storage mount "$container")
  debootstrap --variant=minbase "$codename" "$rootfs" "$mirror" >"$work/debootstrap.log" 2>&1 \
    || { tail -n 20 "$work/debootstrap.log" >&2; fail 'debootstrap failed'; }
  echo "$sources" >"$rootfs/etc/apt/sources.list"
  printf 'path-%s\n' 'exclude=/usr/share/doc/*' 'include=/usr/share/doc/*/copyright' 'exclude=/usr/share/man/*' \
    'exclude=/usr/share/info/*' 'exclude=/usr/share/locale/*' >"$rootfs/etc/dpkg/dpkg.cfg.d/slim"
  find "$rootfs/usr/share/doc" -mindepth 2 ! -name copyright ! -type d -delete
  rm -rf "$rootfs"/usr/share/{man,info,locale}/* "$rootfs"/var/cache/apt/*.bin "$rootfs"/var/cache/apt/archives/*.deb \
    "$rootfs"/var/lib/apt/lists/* "$rootfs"/var/log/{bootstrap.log,alternatives.log,dpkg.log,apt}
  in_storage config --cmd bash "$container"
  in_storage commit --quiet --format docker --signature-policy "$work/policy.json" "$container" "$base" >/dev/null
  in_storage rm "$container" >/dev/null
}

# The registry of this machine's npm, and the certificates that it trusts: secrets of the build, which no layer keeps.
write_npmrc() {
  cat /etc/ssl/certs/ca-certificates.crt ${NODE_EXTRA_CA_CERTS:+"$NODE_EXTRA_CA_CERTS"} >"$work/ca.crt"
  printf '%s\n' "registry=$(npm config get registry)" 'cafile=/run/secrets/ca' >"$work/npmrc"
}

# A copy: the build points current/ of it elsewhere.
copy_libraries() {
  local name
  rm -rf "$work/toolchain"
  mkdir -p "$work/toolchain"
  for name in node rocksdb librdkafka; do
    cp -a "$(readlink -f "$toolchain/current/$name")" "$work/toolchain/"
  done
}

build_image() {
  local options=(--isolation chroot --format docker --signature-policy "$work/policy.json" --tag "$image"
    --build-arg BASE="$base" --secret "id=npmrc,src=$work/npmrc" --secret "id=ca,src=$work/ca.crt"
    --build-arg VERSION="$(scripts/node -p 'require("./package.json").version')"
    --build-arg REVISION="$(git rev-parse HEAD)")
  if $libraries; then
    copy_libraries
    options+=(--volume "$work/toolchain:/toolchain")
  fi
  echo "image: building; $work/build.log has what is printed ..."
  in_storage build "${options[@]}" . >"$work/build.log" 2>&1 \
    || { tail -n 40 "$work/build.log" >&2; fail 'the build failed'; }
}

in_storage inspect --type image "$base" >/dev/null 2>&1 || make_base
write_npmrc
SECONDS=0
build_image
build_seconds=$SECONDS
echo "image: built in $build_seconds s"

rm -rf "$work/oci"
in_storage push --quiet --signature-policy "$work/policy.json" "$image" "oci:$work/oci:weir"
in_storage inspect --type image "$image" >"$work/image.json"
container=$(in_storage from --signature-policy "$work/policy.json" "$image")
trap 'in_storage rm "$container" >/dev/null' EXIT
scripts/node scripts/verify-image/main.ts --rootfs "$(in_storage mount "$container")" --image "$work/image.json" \
  --oci "$work/oci" --work "$work" --build-seconds "$build_seconds" --libraries "$($libraries && echo reused || echo compiled)"
