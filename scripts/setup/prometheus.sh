# Prometheus and promtool, for the tests of alert rules: Debian's package, unpacked and not installed, so that no service starts and no root is
# needed. apt checks what it downloads against the distribution's signatures.

prometheus_missing() {
  step_title='Prometheus for the tests'
  [[ ! -x $toolchain/prometheus/usr/bin/promtool ]]
}

prometheus_install() {
  local new=$toolchain/tmp/prometheus
  mkdir -p "$new"
  if ! apt-cache show prometheus >/dev/null 2>&1; then
    ((EUID == 0)) || fail "apt does not know the package prometheus; as root, run: apt-get update"
    run_logged apt-update apt-get update
  fi
  (cd "$new" && run_logged prometheus apt-get download prometheus)
  dpkg-deb -x "$new"/prometheus_*.deb "$new"
  rm "$new"/prometheus_*.deb
  mv -T "$new" "$toolchain/prometheus"
}
