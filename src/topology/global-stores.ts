import type { Serde } from '../serde/serde.ts'
import type {
  GlobalStoreDefinition,
  NodeDefinition,
  ProcessorDefinition,
  SourceDefinition,
  StoreDefinition,
  SubtopologyDefinition,
  TimestampExtractor,
  TopologyDefinition,
} from './definition.ts'

export interface GlobalStoreOptions<K, V> {
  /** All its partitions are read, from the beginning; no other source reads it. */
  readonly topic: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: the record's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor
  /** The source's name. */
  readonly source: string
  /** The processor's name. */
  readonly processor: string
}

/** The parts of a topology that fill global stores are no sub-topologies, though they are numbered among them. */
export function separateGlobalStores(
  groups: readonly SubtopologyDefinition[],
  stores: ReadonlyMap<string, StoreDefinition>,
): { readonly subtopologies: SubtopologyDefinition[]; readonly globalStores: GlobalStoreDefinition[] } {
  const globalStores: GlobalStoreDefinition[] = []
  const subtopologies = groups.filter(({ id, nodes }) => {
    const processor = nodes.find((node) => fillsOneOf(node, stores))
    if (processor === undefined) return true
    const store = stores.get(processor.stores[0]!)!
    const source = nodes.find((node): node is SourceDefinition => node.kind === 'source')!
    globalStores.push({ id, source, processor, store })
    return false
  })
  return { subtopologies, globalStores }
}

/** All global stores as the stores of one sub-topology, which one task fills. */
export function globalSubtopology({ globalStores = [] }: TopologyDefinition): SubtopologyDefinition {
  return {
    id: 0,
    nodes: globalStores.flatMap(({ source, processor }) => [source, processor]),
    stores: globalStores.map(({ store }) => store),
    sourceTopics: globalStores.flatMap(({ source }) => source.topics),
    copartitionGroups: [],
  }
}

function fillsOneOf(
  node: NodeDefinition,
  stores: ReadonlyMap<string, StoreDefinition>,
): node is ProcessorDefinition {
  return node.kind === 'processor' && node.stores.some((store) => stores.has(store))
}
