services_missing() { return 1; }
