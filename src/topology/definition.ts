/**
 * A topology as data: what the builders make and what the runtime runs. Nodes name their parents; order is that of definition, which is
 * also the order in which children see a record.
 */
import type { CassandraTable } from '../cassandra/cassandra-table.ts'
import type { PartitionLimits, WrittenTable } from '../cassandra/table-schema.ts'
import type { RocksDbSettings } from '../native.ts'
import type { AsyncProcessorSupplier } from '../process/async-processor.ts'
import type { ErrorHandlers } from '../process/error-handlers.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { RecordMetadata, StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'

export type OffsetReset = 'earliest' | 'latest' | 'none'

/** @returns ms since 1970; a negative one drops the record. Kafka Streams' TimestampExtractor. */
export type TimestampExtractor = (record: StreamRecord<unknown, unknown>, partitionTimeMs: number) => number

/**
 * Kafka Streams' StreamPartitioner (KIP-837).
 *
 * @returns a partition number below `partitions`; or several, each of which gets the record: none drops it; or null, for the default, which is murmur2
 *   of the key's bytes
 */
export type Partitioner<K = unknown, V = unknown> = (
  topic: string,
  key: K,
  value: V,
  partitions: number,
) => number | readonly number[] | null

/**
 * Kafka Streams' TopicNameExtractor.
 *
 * @param metadata of the input record; null in a punctuator
 * @returns one of the sink's topics
 */
export type TopicChooser<K = unknown, V = unknown> = (
  record: StreamRecord<K, V>,
  metadata: RecordMetadata | null,
) => string

export interface SourceDefinition {
  readonly kind: 'source'
  readonly name: string
  /** Of a source with a pattern: none when the topology is built, those that match when it runs. */
  readonly topics: readonly string[]
  /** Every topic whose whole name matches is read. Default: those in `topics` alone. */
  readonly pattern?: RegExp
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly offsetReset?: OffsetReset
  readonly timestampExtractor?: TimestampExtractor
}

export interface ProcessorDefinition {
  readonly kind: 'processor'
  readonly name: string
  readonly parents: readonly string[]
  readonly supplier: ProcessorSupplier
  /** Names of the stores it may use. */
  readonly stores: readonly string[]
  /** True when every record it forwards has the key it came with (filter, mapValues, peek, an aggregate). */
  readonly preservesKey: boolean
  /** Of `stores`, those that it reads by the record's own key: fetched ahead, a batch at a time. */
  readonly readsByKey: readonly string[]
}

export interface SinkDefinition {
  readonly kind: 'sink'
  readonly name: string
  readonly parents: readonly string[]
  /** With a chooser, the first of `topics`. */
  readonly topic: string
  /** Of a sink with a chooser, and of those alone: what may be chosen. */
  readonly topics?: readonly string[]
  readonly chooser?: TopicChooser
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly partitioner?: Partitioner
  /** Where there are several topics and the serdes are not the same for all: by topic. Default: `key` and `value`, for each. */
  readonly serdes?: ReadonlyMap<string, { readonly key: Serde<unknown>; readonly value: Serde<unknown> }>
}

/** A processor whose records wait for promises. Nothing above it in its sub-topology has stores, or is async. */
export interface AsyncProcessorDefinition extends Omit<ProcessorDefinition, 'supplier'> {
  readonly asyncSupplier: AsyncProcessorSupplier
  /** Promises under way at once, for each task. */
  readonly concurrency: number
}

/** Writes each record as a row of a table in Cassandra. */
export interface CassandraSinkDefinition {
  readonly kind: 'cassandra-sink'
  readonly name: string
  readonly parents: readonly string[]
  readonly table: CassandraTable
}

export type NodeDefinition =
  | SourceDefinition
  | ProcessorDefinition
  | AsyncProcessorDefinition
  | SinkDefinition
  | CassandraSinkDefinition

export function isAsync(node: NodeDefinition): node is AsyncProcessorDefinition {
  return node.kind === 'processor' && 'asyncSupplier' in node
}

/** The topics that a sink writes to. */
export function sinkTopics({ topic, topics }: SinkDefinition): readonly string[] {
  return topics ?? [topic]
}

export type StoreType =
  | 'key-value'
  | 'timestamped-key-value'
  | 'tiered-key-value'
  | 'tiered-by-prefix'
  | 'window'
  | 'timestamped-window'
  | 'session'
  | 'versioned'
  | 'suppress-buffer'

/** How a window or session store keeps time. */
export interface WindowsDefinition {
  /** How far behind the store's stream time rows are seen, ms. */
  readonly retentionMs: number
  /** Rows expire by segments of this length, ms. */
  readonly segmentIntervalMs: number
  /** 0 for sessions, which bring their length with them. */
  readonly windowSizeMs: number
  /** Values of the same key and window are kept beside each other. */
  readonly retainDuplicates: boolean
  /** Windows are read when they close, and seen a millisecond longer. Default: false. */
  readonly readAtClose?: boolean
}

/** How a versioned store keeps time. */
export interface VersionsDefinition {
  /** How far behind the store's stream time versions can be asked for, and put, ms. */
  readonly historyRetentionMs: number
  /** Versions expire by segments of this length, by the time until which they were valid, ms. */
  readonly segmentIntervalMs: number
}

/** Where a tiered store has the rows that are not here. */
export interface TierDefinition {
  readonly table: WrittenTable
  /** After how many seconds a row is gone from the table; 0: never. */
  readonly ttlSeconds: number
  /** What a task keeps of the store on its disk, bytes. null: what the settings say. */
  readonly localBytesMax: number | null
  /** Of a store whose rows lie together by prefix, and of it alone: what of a prefix is loaded. */
  readonly prefixes?: PartitionLimits
}

export interface StoreDefinition {
  readonly type: StoreType
  readonly name: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** False keeps no changelog: the store is empty after its disk is lost. Default of the builders: true. */
  readonly logging: boolean
  /** Rows are restored from this topic, which the store's processor reads through: there is no changelog, and `logging` is false. Default: none. */
  readonly sourceTopic?: string
  /** Rows are kept in memory only, and restored from the beginning of the changelog. Default: false. */
  readonly inMemory?: boolean
  /** An in-memory store's limit: the row that was used longest ago goes when there are more. Default: none. */
  readonly entriesMax?: number
  /** Tables forward a row's last change at a commit, or when the cache is full, instead of every change. Default: false. */
  readonly caching?: boolean
  /** RocksDB's settings for this store alone, by its own names. Default: none. */
  readonly rocksdb?: RocksDbSettings
  /** Settings of the changelog topic besides those of the contract. */
  readonly changelogConfig: Readonly<Record<string, string>>
  /** Of window and session stores, and of them alone. */
  readonly windows?: WindowsDefinition
  /** Of versioned stores, and of them alone. */
  readonly versions?: VersionsDefinition
  /** Of tiered stores, and of them alone. */
  readonly tier?: TierDefinition
  /** Makes a serde of a part of the store's keys the one that writes the same bytes as `key`. Default: they are the same. */
  readonly bindKeyPart?: <P>(serde: Serde<P>) => Serde<P>
}

/** False for a store that is empty after its disk is lost. */
export function isRestored({ logging, sourceTopic }: StoreDefinition): boolean {
  return logging || sourceTopic !== undefined
}

/** Processors and topics that are connected: one task of it runs for each partition. Numbered as in Kafka Streams. */
export interface SubtopologyDefinition {
  readonly id: number
  /** In order of definition. */
  readonly nodes: readonly NodeDefinition[]
  readonly stores: readonly StoreDefinition[]
  /** Every topic it reads, repartition topics included (by their internal name without the application's prefix). */
  readonly sourceTopics: readonly string[]
  /** Source topics that must have the same partition count as each other. */
  readonly copartitionGroups: readonly (readonly string[])[]
}

export interface RepartitionTopicDefinition {
  /** `<name>-repartition`, without the application's prefix. */
  readonly name: string
  /** null: as many as the sub-topology that writes it has tasks (the maximum over its sources). */
  readonly partitions: number | null
}

/** A store that every task has in full, and the processor that fills it from a topic. */
export interface GlobalStoreDefinition {
  /** Its number, among those of the sub-topologies. */
  readonly id: number
  readonly source: SourceDefinition
  readonly processor: ProcessorDefinition
  /** Without a changelog: its topic is one. */
  readonly store: StoreDefinition
}

/** The finished, checked topology. */
export interface TopologyDefinition {
  readonly subtopologies: readonly SubtopologyDefinition[]
  readonly repartitionTopics: readonly RepartitionTopicDefinition[]
  /** Where sources have patterns: names of sources whose topics must have the same partition count. Default: none. */
  readonly copartitionedSources?: readonly (readonly string[])[]
  /** Default: none. */
  readonly globalStores?: readonly GlobalStoreDefinition[]
  /** Default: what the settings say. */
  readonly errorHandlers?: ErrorHandlers
}
