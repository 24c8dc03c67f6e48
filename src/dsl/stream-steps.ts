/** The steps of a stream as nodes of the graph. Each checks its options, takes its names as Kafka Streams does, and is added below `parts`. */
import { filter, filterNot, type RecordPredicate } from '../process/operators/filter.ts'
import { fixedKey } from '../process/operators/fixed-key.ts'
import {
  type FlatRecordMapper,
  flatMap,
  type KeySelector,
  map,
  type RecordMapper,
  selectKey,
} from '../process/operators/map.ts'
import {
  type FlatValueMapper,
  flatMapValues,
  mapValues,
  type ValueMapper,
} from '../process/operators/map-values.ts'
import { forEach, passThrough, peek, type RecordAction } from '../process/operators/peek.ts'
import { keyAndValue, printer } from '../process/operators/print.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import { checkSupplier } from '../topology/check-supplier.ts'
import { checkFunction, checkNames, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode } from './graph.ts'
import { checkStep, type NameOption, type PrintOptions, type ProcessOptions } from './options.ts'
import type { StreamParts } from './stream-parts.ts'

export function addFilter<K, V>(
  parts: StreamParts<K, V>,
  predicate: RecordPredicate<K, V>,
  options: NameOption | undefined,
): StreamParts<K, V> {
  return { ...parts, node: addStep(parts, 'filter', 'KSTREAM-FILTER-', predicate, filter, options) }
}

export function addFilterNot<K, V>(
  parts: StreamParts<K, V>,
  predicate: RecordPredicate<K, V>,
  options: NameOption | undefined,
): StreamParts<K, V> {
  return { ...parts, node: addStep(parts, 'filterNot', 'KSTREAM-FILTER-', predicate, filterNot, options) }
}

export function addMap<K, V, K2, V2>(
  parts: StreamParts<K, V>,
  mapper: RecordMapper<K, V, K2, V2>,
  options: NameOption | undefined,
): StreamParts<K2, V2> {
  const node = addStep(parts, 'map', 'KSTREAM-MAP-', mapper, map, options, { changesKey: true })
  return rekeyed(parts, node, null)
}

export function addFlatMap<K, V, K2, V2>(
  parts: StreamParts<K, V>,
  mapper: FlatRecordMapper<K, V, K2, V2>,
  options: NameOption | undefined,
): StreamParts<K2, V2> {
  const node = addStep(parts, 'flatMap', 'KSTREAM-FLATMAP-', mapper, flatMap, options, { changesKey: true })
  return rekeyed(parts, node, null)
}

export function addMapValues<K, V, V2>(
  parts: StreamParts<K, V>,
  mapper: ValueMapper<K, V, V2>,
  options: NameOption | undefined,
): StreamParts<K, V2> {
  const node = addStep(parts, 'mapValues', 'KSTREAM-MAPVALUES-', mapper, mapValues, options, {
    changesValue: true,
  })
  return { ...parts, node, value: null }
}

export function addFlatMapValues<K, V, V2>(
  parts: StreamParts<K, V>,
  mapper: FlatValueMapper<K, V, V2>,
  options: NameOption | undefined,
): StreamParts<K, V2> {
  const node = addStep(parts, 'flatMapValues', 'KSTREAM-FLATMAPVALUES-', mapper, flatMapValues, options, {
    changesValue: true,
  })
  return { ...parts, node, value: null }
}

/** @param method whose argument the selector is: selectKey, or groupBy */
export function addSelectKey<K, V, K2>(
  parts: StreamParts<K, V>,
  method: string,
  selector: KeySelector<K, V, K2>,
  options: NameOption | undefined,
): StreamParts<K2, V> {
  const node = addStep(parts, method, 'KSTREAM-KEY-SELECT-', selector, selectKey, options, {
    changesKey: true,
  })
  return rekeyed(parts, node, parts.value)
}

export function addPeek<K, V>(
  parts: StreamParts<K, V>,
  action: RecordAction<K, V>,
  options: NameOption | undefined,
): StreamParts<K, V> {
  return { ...parts, node: addStep(parts, 'peek', 'KSTREAM-PEEK-', action, peek, options) }
}

export function addForEach<K, V>(
  parts: StreamParts<K, V>,
  action: RecordAction<K, V>,
  options: NameOption | undefined,
): void {
  addStep(parts, 'forEach', 'KSTREAM-FOREACH-', action, forEach, options)
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

/** A processor of the user's. */
export function addProcess<K, V, K2, V2>(
  parts: StreamParts<K, V>,
  supplier: ProcessorSupplier<K, V, K2, V2>,
  options: ProcessOptions | undefined,
): StreamParts<K2, V2> {
  const node = addSupplied(parts, 'process', 'KSTREAM-PROCESSOR-', supplier, supplier, options, false)
  return rekeyed(parts, node, null)
}

/** A processor of the user's that leaves keys alone. */
export function addProcessValues<K, V, V2>(
  parts: StreamParts<K, V>,
  supplier: ProcessorSupplier<K, V, K, V2>,
  options: ProcessOptions | undefined,
): StreamParts<K, V2> {
  const prefix = 'KSTREAM-PROCESSVALUES-'
  const node = addSupplied(parts, 'processValues', prefix, supplier, fixedKey(supplier), options, true)
  return { ...parts, node, value: null }
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

/** An operator that takes one function of the user's. */
function addStep<K, V, F, K2, V2>(
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

/** @param given what was given as the supplier, which `supplier` may wrap */
function addSupplied<K, V, K2, V2>(
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

function rekeyed<K, V>(
  parts: StreamParts<unknown, unknown>,
  node: GraphNode,
  value: Serde<V> | null,
): StreamParts<K, V> {
  return { ...parts, node, key: null, value, repartitionRequired: true }
}
