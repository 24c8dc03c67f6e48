/** Joins of two streams, as nodes of the graph. */
import { waitingKeySerde, waitingListSerde } from '../process/operators/outer-join-rows.ts'
import { passThrough } from '../process/operators/peek.ts'
import { streamSelfJoin } from '../process/operators/stream-self-join.ts'
import { joinWindow, type StreamJoin, streamJoinSide } from '../process/operators/stream-stream-join.ts'
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { checkFunction, kindOf } from '../topology/options.ts'
import { stores } from '../topology/stores.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode, type NodeWriter, StreamJoinGraphNode } from './graph.ts'
import type { JoinInput } from './join-input.ts'
import { JoinWindows } from './join-windows.ts'
import { checkStep, checkStoreOptions, type NameOption, type StoreOptions } from './options.ts'
import { requireSerde, type SerdeState, type ValueOption } from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'

/** How two streams are joined. Kafka Streams' StreamJoined. */
export interface StreamJoinOptions extends NameOption, Omit<StoreOptions, 'store' | 'caching'> {
  /** The beginning of the stores' names. Default: generated. */
  readonly store?: string
}

/** One key serde for both streams: where neither is known, it must be given. */
export type StreamJoinSerdes<
  K,
  V,
  V2,
  KS extends SerdeState,
  VS extends SerdeState,
  KS2 extends SerdeState,
  VS2 extends SerdeState,
> = (['missing', 'missing'] extends [KS, KS2] ? { readonly key: Serde<K> } : { readonly key?: Serde<K> }) &
  ValueOption<V, VS> &
  (VS2 extends 'known' ? { readonly otherValue?: Serde<V2> } : { readonly otherValue: Serde<V2> })

/** Options of every kind of join, serdes included. */
export interface StreamJoined<K, V, V2> extends StreamJoinOptions {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  readonly otherValue?: Serde<V2>
}

export type StreamJoinMethod = 'join' | 'leftJoin' | 'outerJoin'

const OPTIONS = [
  'key',
  'value',
  'otherValue',
  'name',
  'store',
  'logging',
  'inMemory',
  'changelogConfig',
  'rocksdb',
]

/** A stream that is joined: its records are where their keys belong, and both serdes are known. */
interface JoinedStream<K, V> {
  readonly parts: StreamParts<K, V>
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** A join of two streams. Checks the options. */
export function addStreamJoin<K, V, V2, R>(
  method: StreamJoinMethod,
  left: JoinInput<K, V>,
  right: JoinInput<K, V2>,
  joiner: ValueJoiner<K, V | null, V2 | null, R>,
  windows: JoinWindows,
  options: StreamJoined<K, V, V2> | undefined,
): StreamParts<K, R> {
  checkStreamJoin(method, joiner, windows, options)
  const key = requireSerde(method, 'key', options?.key, left.parts.key ?? right.parts.key)
  const value = requireSerde(method, 'value', options?.value, left.parts.value)
  const otherValue = requireSerde(method, 'otherValue', options?.otherValue, right.parts.value)
  const named = (suffix: string) => (options?.name === undefined ? undefined : options.name + suffix)
  return joined(
    method,
    { parts: left.byKey(method, named('-left'), key, value), key, value },
    { parts: right.byKey(method, named('-right'), key, otherValue), key, value: otherValue },
    joiner,
    windows,
    options,
  )
}

function checkStreamJoin<K, V, V2>(
  method: string,
  joiner: unknown,
  windows: unknown,
  options: StreamJoined<K, V, V2> | undefined,
): void {
  checkFunction(method, 'the joiner', joiner)
  if (!(windows instanceof JoinWindows))
    throw new TopologyError(
      `${method}: windows made by JoinWindows.of are expected when a stream is joined, not ${kindOf(windows)}`,
    )
  checkStep(method, options, OPTIONS)
  checkStoreOptions(method, options)
}

/**
 * Records of both streams that have the same key and are within the windows of each other. Five nodes: a window for each stream, a side for
 * each, and where they meet. Kafka Streams' KStreamImplJoin, names included.
 */
function joined<K, V, V2, R>(
  method: StreamJoinMethod,
  left: JoinedStream<K, V>,
  right: JoinedStream<K, V2>,
  joiner: ValueJoiner<K, V | null, V2 | null, R>,
  windows: JoinWindows,
  options: StreamJoinOptions | undefined,
): StreamParts<K, R> {
  const { graph } = left.parts
  const isLeftOuter = method !== 'join'
  const isRightOuter = method === 'outerJoin'
  const sources = new Set([...left.parts.sources, ...right.parts.sources])
  graph.copartition(sources)
  const suffix = {
    left: isRightOuter ? '-outer-this-join' : '-this-join',
    right: isLeftOuter ? '-outer-other-join' : '-other-join',
    shared: isRightOuter ? '-outer-shared-join' : '-left-shared-join',
  }
  const named = (ending: string): string | undefined =>
    options?.name === undefined ? undefined : options.name + ending
  const leftWindow = graph.nameOr(named('-this-windowed'), 'KSTREAM-WINDOWED-')
  const rightWindow = graph.nameOr(named('-other-windowed'), 'KSTREAM-WINDOWED-')
  const leftGenerated = graph.newName(isRightOuter ? 'KSTREAM-OUTERTHIS-' : 'KSTREAM-JOINTHIS-')
  const rightGenerated = graph.newName(isLeftOuter ? 'KSTREAM-OUTEROTHER-' : 'KSTREAM-JOINOTHER-')
  const leftSide = named(suffix.left) ?? leftGenerated
  const rightSide = named(suffix.right) ?? rightGenerated
  const merge = graph.nameOr(named('-merge'), 'KSTREAM-MERGE-')

  const base = options?.store
  const storeName = (ending: string, generated: string): string =>
    `${base === undefined ? generated : base + ending}-store`
  const leftStore = windowStore(storeName(suffix.left, leftGenerated), left, windows, options)
  const rightStore = windowStore(storeName(suffix.right, rightGenerated), right, windows, options)
  const sharedGenerated = leftGenerated.replace(/^.*-/, 'KSTREAM-OUTERSHARED-')
  const shared = isLeftOuter
    ? sharedStore(storeName(suffix.shared, sharedGenerated), left, right, options)
    : null

  const join: StreamJoin<K, V, V2, R> = {
    times: windows,
    joiner,
    leftStore: leftStore.name,
    rightStore: rightStore.name,
    sharedStore: shared?.name ?? null,
    trackers: new WeakMap(),
  }
  graph.add(windowNode(leftWindow, leftStore), left.parts.node)
  const otherWindow = graph.add(windowNode(rightWindow, rightStore), right.parts.node)
  const write: NodeWriter = (topology) => {
    if (node.isSelfJoin) {
      topology.addProcessor(
        merge,
        streamSelfJoin(leftStore.name, windows, joiner as ValueJoiner<K, V, V, R>),
        {
          parents: leftWindow,
          stores: [leftStore.name],
          preservesKey: true,
        },
      )
      return
    }
    if (shared !== null) topology.addStateStore(shared)
    const waiting = shared === null ? [] : [shared.name]
    // A record that waited comes out with another one's arrival, under its own key.
    const preservesKey = shared === null
    topology
      .addProcessor(leftSide, streamJoinSide(join, true, isLeftOuter), {
        parents: leftWindow,
        stores: [rightStore.name, ...waiting],
        preservesKey,
      })
      .addProcessor(rightSide, streamJoinSide(join, false, isRightOuter), {
        parents: rightWindow,
        stores: [leftStore.name, ...waiting],
        preservesKey,
      })
      .addProcessor(merge, passThrough(), { parents: [leftSide, rightSide], preservesKey: true })
  }
  const node: StreamJoinGraphNode = new StreamJoinGraphNode(merge, write, otherWindow)
  node.relaxesNullKeys = isLeftOuter
  graph.add(node, left.parts.node, right.parts.node)
  return { graph, node, sources, key: left.key, value: null, repartitionRequired: false }
}

function windowNode(name: string, store: StoreDefinition): GraphNode {
  return new GraphNode(name, (topology, parents) =>
    topology.addStateStore(store).addProcessor(name, joinWindow(store.name), {
      parents,
      stores: [store.name],
      preservesKey: true,
    }),
  )
}

/** Every record is a row of its own, which compaction must not take. */
function windowStore<K, V>(
  name: string,
  { key, value }: JoinedStream<K, V>,
  windows: JoinWindows,
  options: StreamJoinOptions | undefined,
): StoreDefinition {
  const changelogConfig = { ...options?.changelogConfig, 'cleanup.policy': 'delete' }
  return stores.window({
    ...storeOptions(options),
    name,
    key,
    value,
    windowSizeMs: windows.sizeMs,
    retentionMs: windows.sizeMs + windows.graceMs,
    retainDuplicates: true,
    ...(options?.logging !== false && { changelogConfig }),
  })
}

function sharedStore<K, V, V2>(
  name: string,
  left: JoinedStream<K, V>,
  right: JoinedStream<K, V2>,
  options: StreamJoinOptions | undefined,
): StoreDefinition {
  return stores.keyValue({
    ...storeOptions(options),
    name,
    key: waitingKeySerde(left.key),
    value: waitingListSerde(left.value as Serde<unknown>, right.value as Serde<unknown>),
  })
}

function storeOptions(options: StreamJoinOptions | undefined): Omit<StreamJoinOptions, 'name' | 'store'> {
  const { logging, inMemory, changelogConfig, rocksdb } = options ?? {}
  return {
    ...(logging !== undefined && { logging }),
    ...(inMemory !== undefined && { inMemory }),
    ...(changelogConfig !== undefined && { changelogConfig }),
    ...(rocksdb !== undefined && { rocksdb }),
  }
}
