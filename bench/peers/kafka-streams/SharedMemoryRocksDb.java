package weir.bench;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * RocksDB as a careful team runs it under Kafka Streams: one block cache for the process, with the write buffers charged to it, and
 * index and filter blocks inside, with high priority.
 */
public final class SharedMemoryRocksDb implements RocksDBConfigSetter {
  private static final long CACHE_BYTES = Long.getLong("bench.blockCacheBytes", 1L << 30);
  private static final long WRITE_BUFFER_BYTES = Long.getLong("bench.writeBufferBytes", 256L << 20);

  static {
    RocksDB.loadLibrary();
  }

  private static final Cache CACHE = new LRUCache(CACHE_BYTES, -1, false, 0.1);
  private static final WriteBufferManager WRITE_BUFFERS = new WriteBufferManager(WRITE_BUFFER_BYTES, CACHE);

  private final BloomFilter filter = new BloomFilter(10);

  @Override
  public void setConfig(String storeName, Options options, Map<String, Object> configs) {
    var table = (BlockBasedTableConfig) options.tableFormatConfig();
    table.setBlockCache(CACHE);
    table.setCacheIndexAndFilterBlocks(true);
    table.setCacheIndexAndFilterBlocksWithHighPriority(true);
    table.setPinTopLevelIndexAndFilter(true);
    table.setFilterPolicy(filter);
    options.setTableFormatConfig(table);
    options.setWriteBufferManager(WRITE_BUFFERS);
    options.setWriteBufferSize(32L << 20);
    options.setMaxWriteBufferNumber(4);
    options.setLevel0FileNumCompactionTrigger(10);
    options.setTargetFileSizeBase(256L << 20);
  }

  @Override
  public void close(String storeName, Options options) {
    // The cache and the write-buffer manager belong to the process.
    filter.close();
  }
}
