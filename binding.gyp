# The native addon, build/Release/weir.node. scripts/setup/addon.sh calls this with WEIR_ROCKSDB and WEIR_LIBRDKAFKA, the
# folders of the static libraries.
{
  'variables': {
    'rocksdb%': '<!(echo "${WEIR_ROCKSDB:?run scripts/setup.sh}")',
    # `address`: with AddressSanitizer, as scripts/test-asan.sh builds it.
    'sanitizer%': '<!(echo "${WEIR_BUILD_SANITIZER:-}")',
    'librdkafka%': '<!(echo "${WEIR_LIBRDKAFKA:?run scripts/setup.sh}")',
  },
  'targets': [
    {
      'target_name': 'weir',
      'sources': ['<!@(find native -name "*.cc" -not -path "native/test/*" | sort)'],
      'include_dirs': [
        'native',
        '<!(node -p "require(\'node-addon-api\').include_dir")',
      ],
      'defines': ['NAPI_VERSION=9', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      # Node's own settings, where Weir's differ. RocksDB is built with run-time types and exceptions.
      'cflags!': ['-O3'],
      'cflags_cc!': ['-std=gnu++20', '-fno-exceptions', '-fno-rtti', '-O3'],
      'cflags_cc': [
        '-std=c++17',
        '-O2',
        '-fPIC',
        '-fvisibility=hidden',
        '-Wall',
        '-Wextra',
        # System headers, so that warnings are about Weir's own code.
        '-isystem<(rocksdb)/include',
        '-isystem<(librdkafka)/include',
      ],
      'configurations': { 'Release': { 'cflags!': ['-O3'] } },
      'conditions': [
        [
          'sanitizer != ""',
          {
            'cflags_cc!': ['-O2'],
            'cflags_cc': ['-O1', '-g1', '-fsanitize=<(sanitizer)', '-fno-omit-frame-pointer'],
            'ldflags': ['-fsanitize=<(sanitizer)'],
          },
        ],
      ],
      'ldflags': [
        # Threads of the libraries may outlive the worker that loaded the addon: it is never unmapped.
        '-Wl,-z,nodelete',
        # Node exports OpenSSL's, zlib's and zstd's symbols too. Those linked in here stay hidden, and are the ones used.
        '-Wl,--exclude-libs,ALL',
        '-Wl,-Bsymbolic',
      ],
      'libraries': [
        '<(rocksdb)/lib/librocksdb.a',
        '<(librdkafka)/lib/librdkafka.a',
        '-l:libssl.a',
        '-l:libcrypto.a',
        '-l:libz.a',
        '-l:libzstd.a',
        '-l:liblz4.a',
        '-l:liburing.a',
        '-lpthread',
        '-ldl',
      ],
    },
  ],
}
