# Called by libraries.sh with the prepared sources under WORK. A library appears at its final place complete or not at all.
# Descriptor 3 is the terminal.

ROCKSDB := $(WORK)/rocksdb
LIBRDKAFKA := $(WORK)/librdkafka

chunks := $(wildcard $(ROCKSDB)/chunks/*.cc)
objects := $(chunks:.cc=.o)

.PHONY: librdkafka rocksdb
.DELETE_ON_ERROR:

librdkafka:
	+$(MAKE) --no-print-directory -C $(LIBRDKAFKA)/src librdkafka.a
	+$(MAKE) --no-print-directory -C $(LIBRDKAFKA)/src-cpp librdkafka++.a
	mkdir -p $(LIBRDKAFKA)/out/include/librdkafka $(LIBRDKAFKA)/out/lib
	cp $(addprefix $(LIBRDKAFKA)/src/,rdkafka.h rdkafka_mock.h) $(LIBRDKAFKA)/src-cpp/rdkafkacpp.h \
	  $(LIBRDKAFKA)/out/include/librdkafka/
	cp $(LIBRDKAFKA)/src/librdkafka.a $(LIBRDKAFKA)/src-cpp/librdkafka++.a $(LIBRDKAFKA)/out/lib/
	mv -T $(LIBRDKAFKA)/out $(LIBRDKAFKA_OUT)
	@echo "      librdkafka: built" >&3

rocksdb: $(objects)
	mkdir -p $(ROCKSDB)/out/lib
	ar rcs $(ROCKSDB)/out/lib/librocksdb.a $(objects)
	cp -r $(ROCKSDB)/rocksdb/include $(ROCKSDB)/out/include
	mv -T $(ROCKSDB)/out $(ROCKSDB_OUT)
	@echo "      RocksDB: built" >&3

%.o: %.cc
	g++ $(ROCKSDB_FLAGS) -I$(ROCKSDB)/rocksdb -I$(ROCKSDB)/rocksdb/include -c $< -o $@
	@echo "      RocksDB: $$(ls $(ROCKSDB)/chunks/*.o | wc -l) of $(words $(chunks)) parts compiled" >&3
