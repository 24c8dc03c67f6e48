/** The steps of a stream as nodes of the graph. Each checks its options, takes its names as Kafka Streams does, and is added below `parts`. */
import { forEach, passThrough } from '../process/operators/peek.ts'
import { keyAndValue, printer } from '../process/operators/print.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import { partitionOfKey } from '../produce/partition-of-key.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import { isWindowedSerde, type Windowed } from '../serde/windowed.ts'
import { checkSupplier } from '../topology/check-supplier.ts'
import type { Partitioner, TopicChooser } from '../topology/definition.ts'
import { checkFunction, checkName, checkNames, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode } from './graph.ts'
import {
  checkStep,
  type NameOption,
  type PrintOptions,
  type ProcessOptions,
  type ProduceOptions,
} from './options.ts'
import { requireSerde } from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'

/** An operator that takes one function of the user's. */
export function addStep<K, V, F, K2, V2>(
  { graph, node }: StreamParts<K, V>,
  method: string,
  prefix: string,
  callback: F,
  operator: (callback: F) => ProcessorSupplier<K, V, K2, V2>,
  options: NameOption | undefined,
  {
    changesKey = false,
    changesValue = false,
  }: { readonly changesKey?: boolean; readonly changesValue?: boolean } = {},
): GraphNode {
  checkStep(method, options, ['name'])
  checkFunction(method, 'the first argument', callback)
  const name = graph.nameOr(options?.name, prefix)
  const supplier = operator(callback)
  const step = new GraphNode(name, (topology, parents) =>
    topology.addProcessor(name, supplier, { parents, preservesKey: !changesKey }),
  )
  step.changesKey = changesKey
  step.changesValue = changesValue
  return graph.add(step, node)
}

/** A processor of the user's. @param given what was given as the supplier, which `supplier` may wrap */
export function addProcessor<K, V, K2, V2>(
  { graph, node }: StreamParts<K, V>,
  method: string,
  prefix: string,
  given: ProcessorSupplier<K, V, K2, V2>,
  supplier: ProcessorSupplier<K, V, K2, V2>,
  options: ProcessOptions | undefined,
  preservesKey: boolean,
): GraphNode {
  checkStep(method, options, ['name', 'stores', 'readsByKey'])
  const { stores = [], readsByKey = [] } = options ?? {}
  // A given name uses up no index here, as in Kafka Streams.
  const name = options?.name ?? graph.newName(prefix)
  checkNames(name, 'stores', stores)
  checkNames(name, 'readsByKey', readsByKey)
  checkSupplier(`processor ${name}`, given)
  const step = new GraphNode(name, (topology, parents) =>
    topology.addProcessor(name, supplier, { parents, stores, preservesKey, readsByKey }),
  )
  step.changesKey = !preservesKey
  step.changesValue = true
  return graph.add(step, node)
}

/** Shows records on standard output, or where its user says. */
export function addPrint<K, V>(parts: StreamParts<K, V>, options: PrintOptions<K, V> | undefined): void {
  checkStep('print', options, ['label', 'format', 'write', 'name'])
  const {
    label = parts.node.name,
    format = keyAndValue,
    write = (line: string): void => {
      process.stdout.write(`${line}\n`)
    },
  } = options ?? {}
  if (typeof label !== 'string') throw new TopologyError(`print: label must be text, not ${kindOf(label)}`)
  checkFunction('print', 'format', format)
  checkFunction('print', 'write', write)
  const name = options?.name === undefined ? undefined : { name: options.name }
  addStep(parts, 'print', 'KSTREAM-PRINTER-', printer({ label, format, write }), forEach, name)
}

/** The records of both streams. */
export function addMerge<K, V>(
  parts: StreamParts<K, V>,
  others: StreamParts<K, V>,
  options: NameOption | undefined,
): StreamParts<K, V> {
  checkStep('merge', options, ['name'])
  const { graph, node, sources, key, value, repartitionRequired } = parts
  const name = graph.nameOr(options?.name, 'KSTREAM-MERGE-')
  const merged = new GraphNode(name, (topology, parents) =>
    topology.addProcessor(name, passThrough(), { parents, preservesKey: true }),
  )
  merged.isMerge = true
  return {
    graph,
    node: graph.add(merged, node, others.node),
    sources: new Set([...sources, ...others.sources]),
    key: key === others.key ? key : null,
    value: value === others.value ? value : null,
    repartitionRequired: repartitionRequired || others.repartitionRequired,
  }
}

/** A topic of the user's, at the end of the stream. */
export function addSink<K, V>(
  { graph, node, ...parts }: StreamParts<K, V>,
  topic: string | TopicChooser<K, V>,
  options:
    | ({
        readonly key?: Serde<K>
        readonly value?: Serde<V>
        readonly topics?: readonly string[]
      } & ProduceOptions<K, V>)
    | undefined,
): void {
  const isChosen = typeof topic === 'function'
  if (!isChosen) checkName('to', 'the topic', topic)
  const where = isChosen ? 'to' : `to ${topic}`
  checkStep(where, options, ['key', 'value', 'partitioner', 'name', ...(isChosen ? ['topics'] : [])])
  const key = requireSerde(where, 'key', options?.key, parts.key)
  const value = requireSerde(where, 'value', options?.value, parts.value)
  const { topics } = options ?? {}
  const partitioner =
    options?.partitioner ?? (isWindowedSerde(key) ? windowedPartitioner(key.windowedKey) : undefined)
  const name = graph.nameOr(options?.name, 'KSTREAM-SINK-')
  const sink = new GraphNode(name, (topology, parents) =>
    topology.addSink(name, {
      parents,
      topic,
      key,
      value,
      ...(topics !== undefined && { topics }),
      ...(partitioner !== undefined && { partitioner }),
    }),
  )
  graph.add(sink, node)
}

/** Records of a key go to the same partition, whatever their windows. Kafka Streams' WindowedStreamPartitioner. */
export function windowedPartitioner(key: Serde<unknown>): Partitioner<unknown, unknown> {
  const writer = new ByteWriter(256)
  return (_topic, windowed, _value, partitions) => {
    writer.reset()
    key.serialize((windowed as Windowed<unknown>).key, writer)
    return partitionOfKey(writer.buffer, writer.position, partitions)
  }
}
