# RocksDB and librdkafka as static libraries, built from sources. One make builds both and shares its jobs between them.

rocksdb_flags=(
  # Hidden, so that what lies in one translation unit is inlined there: nothing outside of the addon calls it.
  -O3 -g0 -std=c++17 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -w -pthread
  -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX -DOS_LINUX
  -DROCKSDB_IOURING_PRESENT -DLZ4 -DNDEBUG
  -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT -DROCKSDB_SCHED_GETCPU_PRESENT
  -DROCKSDB_PTHREAD_ADAPTIVE_MUTEX
  # No counters of its own per thread: nothing reads them, and they cost a scan a tenth. Statistics are something else.
  -DNPERF_CONTEXT -DNIOSTATS_CONTEXT
)
case $(uname -m) in
  x86_64) rocksdb_flags+=(-msse4.2 -mpclmul) ;;
  aarch64) rocksdb_flags+=(-march=armv8-a+crc+crypto) ;;
esac
# Files in one translation unit: compiling them together takes a fifth of the time.
rocksdb_chunk_files=24

# Without --enable-static, which is about what librdkafka itself links and would bring a second LZ4; the .a is built anyway.
librdkafka_configure=(
  # With OpenSSL linked statically the certificates' place must be searched for, which is what this definition is about.
  --cc=gcc --cxx=g++ '--CFLAGS=-fPIC -DWITH_STATIC_LIB_libcrypto=1' --CXXFLAGS=-fPIC --disable-debug-symbols
  --enable-ssl --enable-zlib --enable-zstd --enable-lz4-ext --disable-gssapi --disable-curl
)
librdkafka_features=(WITH_SSL WITH_ZLIB WITH_ZSTD WITH_LZ4_EXT)
# Each says at its top which defect it mends.
librdkafka_patches=("$repo"/scripts/setup/patches/librdkafka-*.patch)

rocksdb_folder=$toolchain/rocksdb-$rocksdb_version-$(short_hash <<<"$rocksdb_package ${rocksdb_flags[*]} $rocksdb_chunk_files")
librdkafka_folder=$toolchain/librdkafka-$librdkafka_version-$(short_hash <<<"$librdkafka_package ${librdkafka_configure[*]} $(cat "${librdkafka_patches[@]}")")

libraries_missing() {
  library_targets=()
  library_titles=()
  if [[ ! -d $librdkafka_folder ]]; then
    library_targets+=(librdkafka)
    library_titles+=("librdkafka $librdkafka_version")
  fi
  if [[ ! -d $rocksdb_folder ]]; then
    library_targets+=(rocksdb)
    library_titles+=("RocksDB $rocksdb_version")
  fi
  if ((${#library_targets[@]} == 0)); then
    link_libraries
    return 1
  fi
  step_title=$(printf '%s, ' "${library_titles[@]}")
  step_title="${step_title%, } from sources (minutes, once)"
}

libraries_install() {
  local target
  for target in "${library_targets[@]}"; do "prepare_$target"; done
  run_logged libraries make --no-print-directory --jobs="$jobs" --file="$repo/scripts/setup/libraries.mk" \
    WORK="$toolchain/tmp" ROCKSDB_FLAGS="${rocksdb_flags[*]}" ROCKSDB_OUT="$rocksdb_folder" \
    LIBRDKAFKA_OUT="$librdkafka_folder" "${library_targets[@]}"
  link_libraries
}

link_libraries() {
  link_current rocksdb "$rocksdb_folder"
  link_current librdkafka "$librdkafka_folder"
}

# The library's sources (the list LIB_SOURCES of src.mk) as chunk-*.cc, each of which includes some of them. RocksDB's own
# build generates build_version.cc, the package carries it.
prepare_rocksdb() {
  local source=$toolchain/tmp/rocksdb
  fetch_npm "$rocksdb_package" "$rocksdb_integrity" "$source" --strip-components=3 \
    package/deps/rocksdb/rocksdb package/deps/rocksdb/build_version.cc
  mkdir "$source/chunks"
  awk -v size="$rocksdb_chunk_files" -v folder="$source/chunks" '
    /^LIB_SOURCES =/ { listed = 1; next }
    listed && $1 !~ /\.cc$/ { exit }
    listed && $1 != "util/build_version.cc" {
      printf "#include \"%s\"\n", $1 > sprintf("%s/chunk-%02d.cc", folder, int(count / size))
      count++
    }
  ' "$source/rocksdb/src.mk"
  mv "$source/build_version.cc" "$source/chunks/"
}

prepare_librdkafka() {
  local source=$toolchain/tmp/librdkafka feature patch
  fetch_npm "$librdkafka_package" "$librdkafka_integrity" "$source" --strip-components=3 package/deps/librdkafka
  for patch in "${librdkafka_patches[@]}"; do
    run_logged librdkafka-patch patch --directory="$source" --strip=1 --batch --input="$patch"
  done
  run_logged librdkafka-configure env -C "$source" ./configure "${librdkafka_configure[@]}"
  for feature in "${librdkafka_features[@]}"; do
    grep -q "^#define $feature 1" "$source/config.h" || fail "librdkafka is configured without $feature"
  done
}
