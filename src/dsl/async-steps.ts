/** The async steps of a stream as nodes of the graph. */
import type { AsyncProcessorSupplier } from '../process/async-processor.ts'
import { type AsyncValueMapper, mapValuesAsync } from '../process/operators/map-values-async.ts'
import { CONCURRENCY } from '../topology/async-processors.ts'
import { checkAsyncSupplier } from '../topology/check-supplier.ts'
import { checkConcurrency, checkFunction, checkNames } from '../topology/options.ts'
import { GraphNode } from './graph.ts'
import { type AsyncOptions, type AsyncProcessOptions, checkStep } from './options.ts'
import type { StreamParts } from './stream-parts.ts'

/** A processor of the user's whose records wait for promises. */
export function addProcessAsync<K, V, K2, V2, Result>(
  parts: StreamParts<K, V>,
  supplier: AsyncProcessorSupplier<K, V, K2, V2, Result>,
  options: AsyncProcessOptions | undefined,
): StreamParts<K2, V2> {
  checkStep('processAsync', options, ['name', 'stores', 'readsByKey', 'concurrency'])
  const name = options?.name ?? parts.graph.newName('KSTREAM-PROCESSASYNC-')
  checkAsyncSupplier(`processor ${name}`, supplier)
  const node = addAsync(parts, name, supplier, options, false)
  return { ...parts, node, key: null, value: null, repartitionRequired: true }
}

/** Another value for each record, which a promise gives. */
export function addMapValuesAsync<K, V, V2>(
  parts: StreamParts<K, V>,
  mapper: AsyncValueMapper<K, V, V2>,
  options: AsyncOptions | undefined,
): StreamParts<K, V2> {
  checkStep('mapValuesAsync', options, ['name', 'concurrency'])
  checkFunction('mapValuesAsync', 'the first argument', mapper)
  const name = parts.graph.nameOr(options?.name, 'KSTREAM-MAPVALUESASYNC-')
  const node = addAsync(parts, name, mapValuesAsync(mapper), options, true)
  return { ...parts, node, value: null }
}

function addAsync<K, V, K2, V2, Result>(
  { graph, node }: StreamParts<K, V>,
  name: string,
  supplier: AsyncProcessorSupplier<K, V, K2, V2, Result>,
  { stores = [], readsByKey = [], concurrency = CONCURRENCY }: AsyncProcessOptions = {},
  preservesKey: boolean,
): GraphNode {
  checkNames(name, 'stores', stores)
  checkNames(name, 'readsByKey', readsByKey)
  checkConcurrency(name, concurrency)
  const step = new GraphNode(name, (topology, parents) =>
    topology.addAsyncProcessor(name, supplier, { parents, stores, preservesKey, readsByKey, concurrency }),
  )
  step.changesKey = !preservesKey
  step.changesValue = true
  return graph.add(step, node)
}
