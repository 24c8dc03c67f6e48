package weir.bench;

import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;

/** When the records of an output topic arrived there (LogAppendTime), and how steadily. */
final class OutputProgress {
  private static final int PARTS = 10;

  private final TreeMap<Long, Integer> arrivals = new TreeMap<>();
  private long records;

  void add(long timestamp) {
    arrivals.merge(timestamp, 1, Integer::sum);
    records++;
  }

  /** Members of a JSON object. */
  String json() {
    long first = arrivals.isEmpty() ? 0 : arrivals.firstKey();
    long last = arrivals.isEmpty() ? 0 : arrivals.lastKey();
    long longestPause = 0;
    long before = first;
    long seen = 0;
    long partStart = first;
    var tenths = new StringJoiner(",", "[", "]");
    int parts = 0;
    for (Map.Entry<Long, Integer> arrival : arrivals.entrySet()) {
      longestPause = Math.max(longestPause, arrival.getKey() - before);
      before = arrival.getKey();
      seen += arrival.getValue();
      while (parts < PARTS && seen >= records * (parts + 1) / PARTS) {
        parts++;
        tenths.add(Long.toString(records * 1_000 / PARTS / Math.max(1, before - partStart)));
        partStart = before;
      }
    }
    return String.format(
        "\"firstAppendMs\":%d,\"lastAppendMs\":%d,\"longestPauseMs\":%d,\"tenths\":%s", first, last, longestPause, tenths);
  }
}
