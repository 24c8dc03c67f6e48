/** Weir's public face. */
export { cassandra } from './cassandra/cassandra.ts'
export type { CassandraSettings, ConsistencyLevel } from './cassandra/cassandra-settings.ts'
export type {
  CassandraColumns,
  CassandraRow,
  CassandraRowValues,
  CassandraTable,
  CassandraTableOptions,
} from './cassandra/cassandra-table.ts'
export type { CqlType, CqlValue } from './cassandra/column-types.ts'
export type { Config } from './config/config.ts'
export { loadConfig } from './config/load.ts'
export type { BranchedStream, BranchOptions, BranchStreams } from './dsl/branched-stream.ts'
export type { CassandraSinkOption } from './dsl/cassandra-sink.ts'
export type { CogroupSpecification } from './dsl/cogroup.ts'
export type { CogroupedStream } from './dsl/cogrouped-stream.ts'
export { defineTopology, type TopologyOptions } from './dsl/define-topology.ts'
export { days, hours, minutes, seconds } from './dsl/durations.ts'
export type { ForeignKeyOptions } from './dsl/foreign-key-join.ts'
export type {
  GlobalJoinOptions,
  GlobalStoreConsumed,
  GlobalTable,
  GlobalTableOptions,
} from './dsl/global-table.ts'
export type { AggregateSpecification, GroupedStream } from './dsl/grouped-stream.ts'
export type { GroupedTable, TableAggregateSpecification, TableGroupOptions } from './dsl/grouped-table.ts'
export { JoinWindows } from './dsl/join-windows.ts'
export type {
  AsyncOptions,
  AsyncProcessOptions,
  ConsumedOptions,
  MaterializedOptions,
  NameOption,
  PrintOptions,
  ProcessOptions,
  ProduceOptions,
  RepartitionOptions,
  StoreOptions,
  TableOptions,
  VersionsOptions,
  WindowedMaterializedOptions,
} from './dsl/options.ts'
export type { RangeJoinOptions } from './dsl/range-join.ts'
export type { SerdeState } from './dsl/serde-state.ts'
export type {
  SessionCogroupSpecification,
  SessionWindowedCogroupedStream,
} from './dsl/session-windowed-cogrouped-stream.ts'
export type { SessionAggregateSpecification, SessionWindowedStream } from './dsl/session-windowed-stream.ts'
export type { Stream } from './dsl/stream.ts'
export type { StreamJoinOptions } from './dsl/stream-join.ts'
export type { TableJoinOptions } from './dsl/stream-table-join.ts'
export type { StreamsBuilder } from './dsl/streams-builder.ts'
export { BufferConfig, Suppressed, type WhenFull } from './dsl/suppressed.ts'
export type { Table } from './dsl/table.ts'
export type { SuppressOptions } from './dsl/table-suppress.ts'
export type { TransformerOptions } from './dsl/table-transform.ts'
export type {
  TimeWindowedCogroupedStream,
  WindowedCogroupSpecification,
} from './dsl/time-windowed-cogrouped-stream.ts'
export type { TimeWindowedStream } from './dsl/time-windowed-stream.ts'
export type { WindowedAggregateSpecification } from './dsl/windowed-stream.ts'
export {
  type EmitStrategy,
  SessionWindows,
  SlidingWindows,
  TimeWindows,
  UnlimitedWindows,
} from './dsl/windows.ts'
export type { ErrorCode } from './errors/codes.ts'
export { RetriableError } from './errors/retriable-error.ts'
export { WeirError } from './errors/weir-error.ts'
export type { AsyncContext, AsyncProcessor, AsyncProcessorSupplier } from './process/async-processor.ts'
export {
  buildDeadLetter,
  type DeadLetter,
  type DeserializationExceptionHandler,
  type ErrorHandlerContext,
  type ErrorHandlers,
  type FailedOutput,
  type HandlerResponse,
  type HandlerResult,
  type ProcessingExceptionHandler,
  type ProductionExceptionHandler,
  type ProductionResult,
} from './process/error-handlers.ts'
export { type Header, Headers } from './process/headers.ts'
export type { Aggregator, Initializer } from './process/operators/aggregate.ts'
export type { Merger } from './process/operators/aggregation.ts'
export type { RecordPredicate } from './process/operators/filter.ts'
export type { ForeignKeyExtractor } from './process/operators/foreign-key-subscriber.ts'
export type { FlatRecordMapper, KeySelector, MappedRecord, RecordMapper } from './process/operators/map.ts'
export type { FlatValueMapper, ValueMapper } from './process/operators/map-values.ts'
export type { AsyncValueMapper } from './process/operators/map-values-async.ts'
export type { RecordAction } from './process/operators/peek.ts'
export type { RecordFormatter } from './process/operators/print.ts'
export type {
  RangeJoiner,
  RangeRows,
  RangeSelector,
  RowBounds,
  TableRow,
} from './process/operators/range-join.ts'
export type { Reducer } from './process/operators/reduce.ts'
export type { ValueJoiner } from './process/operators/stream-table-join.ts'
export type { RowPredicate } from './process/operators/table-map.ts'
export type { GroupedRow, RowSelector } from './process/operators/table-repartition-map.ts'
export type {
  TransformerContext,
  ValueTransformer,
  ValueTransformerSupplier,
} from './process/operators/table-transform.ts'
export type {
  Cancellable,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  PunctuationType,
  Punctuator,
} from './process/processor.ts'
export { copyRecord, type RecordMetadata, type StreamRecord } from './process/record.ts'
export type { Position } from './query/position.ts'
export { QueryError, type QueryErrorReason } from './query/query-error.ts'
export {
  type QueriedRows,
  type QueriedWindows,
  type QueryableStore,
  type QueryConsistency,
  type QueryOptions,
  queries,
  type RangeOptions,
  type StateQuery,
  type StateQueryResult,
  type WindowOptions,
} from './query/state-query.ts'
export type { Application, ApplicationEvents, ApplicationStatus } from './runtime/application.ts'
export type { ApplicationState } from './runtime/application-state.ts'
export type { CloseOptions } from './runtime/close-options.ts'
export type { RestoreListener } from './runtime/restore-listener.ts'
export type { RestoreProgress } from './runtime/restore-progress.ts'
export { type StartOptions, startApplication } from './runtime/start-application.ts'
export type {
  UncaughtErrorContext,
  UncaughtErrorHandler,
  UncaughtErrorResponse,
} from './runtime/uncaught-errors.ts'
export type { RegistrySettings } from './schema-registry/registry-settings.ts'
export type { SchemaRegistry } from './schema-registry/schema-registry.ts'
export type { AvroOptions, AvroSchema } from './serde/avro/avro.ts'
export type { AvroDuration } from './serde/avro/logical-types.ts'
export type { AvroSchemaOf } from './serde/avro/typed-schema.ts'
export type { SerdeBinding, SerdePlace } from './serde/binding.ts'
export { ByteWriter } from './serde/byte-writer.ts'
export type { CustomSerde } from './serde/custom.ts'
export type { JsonSchema, JsonSchemaOptions } from './serde/json-schema/json-schema.ts'
export type { ProtobufOptions } from './serde/protobuf/protobuf.ts'
export type { SchemaSubject, SubjectOptions, SubjectStrategy } from './serde/registered/subject-options.ts'
export type {
  NamedSchema,
  RegisteredSchema,
  SchemaNeed,
  SchemaReference,
  SchemaSource,
  WriterSchema,
} from './serde/schema-source.ts'
export type { Serde } from './serde/serde.ts'
export { serdes } from './serde/serdes.ts'
export type { WindowedSerde } from './serde/windowed.ts'
export { readOnlyView, valueView } from './state/read-only-view.ts'
export type {
  KeyValueStore,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyWindowStore,
  SessionStore,
  Store,
  StoreIterator,
  TieredKeyValueStore,
  TieredPrefixRow,
  TieredPrefixStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  ValueAndTimestamp,
  VersionedKeyValueStore,
  VersionedRecord,
  Window,
  Windowed,
  WindowStore,
  WindowStoreIterator,
} from './state/store.ts'
export { PUT_RETURN_CODE_NOT_PUT, PUT_RETURN_CODE_VALID_TO_UNDEFINED } from './state/store.ts'
export type {
  GlobalStoreDefinition,
  OffsetReset,
  Partitioner,
  StoreDefinition,
  TimestampExtractor,
  TopicChooser,
  TopologyDefinition,
} from './topology/definition.ts'
export type { GlobalStoreOptions } from './topology/global-stores.ts'
export type { KeyValueStoreOptions } from './topology/key-value-stores.ts'
export type {
  AsyncProcessorOptions,
  CassandraSinkOptions,
  ProcessorOptions,
  SinkOptions,
  SourceOptions,
} from './topology/node-options.ts'
export type { OptimizationRule } from './topology/optimization.ts'
export type { StoreRocksDbOptions } from './topology/store-options.ts'
export { stores } from './topology/stores.ts'
export type { TieredPrefixStoreOptions } from './topology/tiered-prefix-stores.ts'
export type { TieredStoreOptions } from './topology/tiered-stores.ts'
export { Topology } from './topology/topology.ts'
export { TopologyError } from './topology/topology-error.ts'
export type { TopologyModule } from './topology/topology-module.ts'
export type { SessionStoreOptions, WindowStoreOptions } from './topology/window-stores.ts'
