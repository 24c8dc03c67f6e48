# What is installed, pinned. An integrity is the registry's own (npm view <package>@<version> dist.integrity).

node_version=24.21.0
node_minimum_major=24
node_integrity_x64='sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='
node_integrity_arm64='sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=='

# RocksDB's sources, as this binding of it carries them.
rocksdb_version=9.7.4
rocksdb_package=@nxtedition/rocksdb@12.2.12
rocksdb_integrity='sha512-Y2FIp8O5F0F7MwFuAON9tAzhOIbPdZUj4O2sI/ddtxLlp9H9La/kaKGQRdEMl4oy3GFe5UmNZIQmI5dp9jWRqw=='

# librdkafka's sources, as this client carries them.
librdkafka_version=2.15.1
librdkafka_package=@confluentinc/kafka-javascript@1.10.1
librdkafka_integrity='sha512-KVePUBn21EqCVP9mfxzEuM3SYJHHEF7X+iiC2e43QQgDSyEaksInmCGooT3w5q+cNAdkSCrK71j0ICfqoSqZLw=='

# Headers, for the addon's build in an installed package; a clone has them from package-lock.json.
node_addon_api_package=node-addon-api@8.9.2
node_addon_api_integrity='sha512-VijLXbi3UACN69I0JVXJsX4tjACjNoQDgv2gTF6sx2wWEi8tkSg2eX8p5gSIFi8z2+DL3oHmY6OyKce38SDolg=='

# Kubernetes' JSON schemas, as this checker of manifests carries them.
kubernetes_schemas_release=1.37.0
kubernetes_schemas_package=kubernetes-validate==1.37.0
kubernetes_schemas_sha256=85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9
