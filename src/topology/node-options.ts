import type { CassandraTable } from '../cassandra/cassandra-table.ts'
import type { Serde } from '../serde/serde.ts'
import type { OffsetReset, Partitioner, TimestampExtractor, TopicChooser } from './definition.ts'

export interface SourceOptions<K, V> {
  /** At least one; or a pattern: every topic whose whole name matches, also one that is created later. No other source reads them. */
  readonly topics: string | readonly string[] | RegExp
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Where a group without committed offsets begins. Default: WEIR_AUTO_OFFSET_RESET. */
  readonly offsetReset?: OffsetReset
  /** Default: the record's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor
}

export interface ProcessorOptions {
  /** Nodes added before, at least one. */
  readonly parents: string | readonly string[]
  /** Stores added before that the processor uses. Default: none. */
  readonly stores?: readonly string[]
  /** True when every record that it forwards has the key of the record it came for. Default: false. */
  readonly preservesKey?: boolean
  /** Of its stores, those that it reads by the record's own key: their rows are fetched ahead, a batch at a time. Default: none. */
  readonly readsByKey?: readonly string[]
}

export interface AsyncProcessorOptions extends ProcessorOptions {
  /** Promises under way at once for each task, 1 to 10,000. Default: 16. */
  readonly concurrency?: number
}

export interface SinkOptions<K, V> {
  /** Nodes added before, at least one. */
  readonly parents: string | readonly string[]
  /** A topic; or a function that chooses one for each record, of those in `topics`. */
  readonly topic: string | TopicChooser<K, V>
  /** What a chooser may choose, at least one; all must exist. */
  readonly topics?: readonly string[]
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: murmur2 of the key's bytes, as Kafka's own. */
  readonly partitioner?: Partitioner<K, V>
}

export interface CassandraSinkOptions<K, V> {
  /** Nodes added before, at least one. */
  readonly parents: string | readonly string[]
  /** Made by `cassandra.table`. */
  readonly table: CassandraTable<K, V>
}
