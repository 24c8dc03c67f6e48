node_rdkafka_missing() { return 1; }
