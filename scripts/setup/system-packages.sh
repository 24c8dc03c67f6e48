# Build tools and headers from Debian's packages (Ubuntu's have the same names).

system_packages_missing() {
  step_title='system packages'
  need_packages=()
  need_command g++ g++
  need_command make make
  need_command python3 python3
  need_command pkg-config pkg-config
  need_command patch patch
  need_file /usr/include/liburing.h liburing-dev
  need_file /usr/include/lz4.h liblz4-dev
  need_file /usr/include/zstd.h libzstd-dev
  need_file /usr/include/zlib.h zlib1g-dev
  need_file /usr/include/openssl/ssl.h libssl-dev
  need_file /etc/ssl/certs/ca-certificates.crt ca-certificates
  # scripts/node loads it.
  $in_package || compgen -G '/usr/lib/*/libjemalloc.so.2' >/dev/null || need_packages+=(libjemalloc2)
  if $with_test || $with_check; then
    need_command cmake cmake
    need_file /usr/include/gtest/gtest.h libgtest-dev
    need_command pip3 python3-pip
  fi
  if $with_test; then
    need_command mvn maven
    # Cassandra 5 runs on Java 11 and 17 only.
    compgen -G '/usr/lib/jvm/java-17-openjdk*/bin/javac' >/dev/null || need_packages+=(openjdk-17-jdk-headless)
    need_browser
  fi
  if $with_check; then
    need_command clang-format clang-format
    need_command clang-tidy clang-tidy
  fi
  ((${#need_packages[@]} > 0))
}

need_command() { command -v "$1" >/dev/null || need_packages+=("$2"); }
# For the test of the console, which is skipped without one: Ubuntu has no Chromium among its packages.
need_browser() {
  local name
  for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then return; fi
  done
  ! grep -qs '^ID=debian$' /etc/os-release || need_packages+=(chromium-headless-shell)
}
need_file() { [[ -e $1 ]] || need_packages+=("$2"); }

# An installed package has no business with the system's packages: whoever installs it decides.
system_packages_refuse() {
  fail "building the addon needs ${need_packages[*]} (Debian's names): apt-get install --no-install-recommends ${need_packages[*]}, then npm rebuild weir"
}

system_packages_install() {
  if ! command -v apt-get >/dev/null; then
    fail "missing: ${need_packages[*]} (Debian's names); install them with this system's package manager"
  fi
  if ((EUID != 0)); then
    echo "setup: these packages are missing; as root, run:" >&2
    echo "  apt-get update" >&2
    echo "  apt-get install --no-install-recommends ${need_packages[*]}" >&2
    fail "then start again"
  fi
  run_logged apt-update apt-get update
  run_logged apt-install env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${need_packages[@]}"
}
