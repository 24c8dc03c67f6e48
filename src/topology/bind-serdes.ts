/** Where a topology's serdes are used, and the topology with those that are bound to their places. */
import { bindSerde, type SerdePlace } from '../serde/binding.ts'
import type { SchemaNeed, SchemaSource } from '../serde/schema-source.ts'
import type { Serde } from '../serde/serde.ts'
import {
  type NodeDefinition,
  type SinkDefinition,
  type SourceDefinition,
  type StoreDefinition,
  type SubtopologyDefinition,
  sinkTopics,
  type TopologyDefinition,
} from './definition.ts'
import { changelogTopic, realTopic } from './topic-names.ts'
import { boundPartitioner } from './windowed-partitioner.ts'

/** A serde, and where it is used. */
interface SerdeUse {
  readonly serde: Serde<unknown>
  readonly place: SerdePlace
}

export interface PlacedNeed {
  readonly place: SerdePlace
  readonly need: SchemaNeed
}

/** What a registry has to be asked before the topology can run. @returns null when none is needed: no serde asks one */
export function schemaNeeds(topology: TopologyDefinition, applicationId: string): PlacedNeed[] | null {
  const uses: SerdeUse[] = []
  // Bound to nothing: only the places are of interest.
  mapSerdes(topology, applicationId, (serde, place) => {
    uses.push({ serde, place })
    return serde
  })
  if (uses.every(({ serde }) => serde.binding === undefined)) return null
  return uses.flatMap(({ serde, place }) =>
    (serde.binding?.needs(place) ?? []).map((need) => ({ place, need })),
  )
}

/** The topology with its serdes bound to their places. REQUIRES that `schemas` knows what `schemaNeeds` asks for. */
export function bindTopology(
  topology: TopologyDefinition,
  applicationId: string,
  schemas: SchemaSource,
): TopologyDefinition {
  return mapSerdes(topology, applicationId, (serde, place) => bindSerde(serde, place, schemas))
}

type Bind = <T>(serde: Serde<T>, place: SerdePlace) => Serde<T>

function mapSerdes(topology: TopologyDefinition, applicationId: string, bind: Bind): TopologyDefinition {
  const places = new Places(topology, applicationId)
  const nodeOf = <N extends NodeDefinition>(node: N): N => {
    if (node.kind === 'source') return boundSource(node, places, bind) as N
    return node.kind === 'sink' ? (boundSink(node, places, bind) as N) : node
  }
  const { globalStores } = topology
  return {
    ...topology,
    subtopologies: topology.subtopologies.map(
      (subtopology): SubtopologyDefinition => ({
        ...subtopology,
        nodes: subtopology.nodes.map(nodeOf),
        stores: subtopology.stores.map((store) => boundStore(store, places.changelog(store), bind)),
      }),
    ),
    ...(globalStores !== undefined && {
      globalStores: globalStores.map((one) => ({
        ...one,
        source: nodeOf(one.source),
        store: boundStore(one.store, places.internal(one.source.topics[0]!), bind),
      })),
    }),
  }
}

/** Where what is. */
class Places {
  readonly #topology: TopologyDefinition
  readonly #applicationId: string

  constructor(topology: TopologyDefinition, applicationId: string) {
    this.#topology = topology
    this.#applicationId = applicationId
  }

  internal(name: string): Pick<SerdePlace, 'topic' | 'isInternal'> {
    const topic = realTopic(this.#topology, this.#applicationId, name)
    return { topic, isInternal: topic !== name }
  }

  changelog({ name, sourceTopic }: StoreDefinition): Pick<SerdePlace, 'topic' | 'isInternal'> {
    return sourceTopic === undefined
      ? { topic: changelogTopic(this.#applicationId, name), isInternal: true }
      : this.internal(sourceTopic)
  }
}

function boundSource(node: SourceDefinition, places: Places, bind: Bind): SourceDefinition {
  const place = { ...places.internal(node.topics[0] ?? String(node.pattern)), use: 'source' } as const
  return {
    ...node,
    key: bind(node.key, { ...place, part: 'key' }),
    value: bind(node.value, { ...place, part: 'value' }),
  }
}

function boundSink(node: SinkDefinition, places: Places, bind: Bind): SinkDefinition {
  const serdes = new Map(
    sinkTopics(node).map((name) => {
      const place = { ...places.internal(name), use: 'sink' } as const
      const key = bind(node.key, { ...place, part: 'key' })
      return [place.topic, { key, value: bind(node.value, { ...place, part: 'value' }) }] as const
    }),
  )
  const first = places.internal(node.topic)
  const { partitioner } = node
  const isBound = [...serdes.values()].some(({ key, value }) => key !== node.key || value !== node.value)
  return {
    ...node,
    ...serdes.get(first.topic)!,
    ...(serdes.size > 1 && isBound && { serdes }),
    ...(partitioner !== undefined && {
      partitioner: boundPartitioner(partitioner, (key) => bind(key, { ...first, use: 'sink', part: 'key' })),
    }),
  }
}

function boundStore(
  store: StoreDefinition,
  at: Pick<SerdePlace, 'topic' | 'isInternal'>,
  bind: Bind,
): StoreDefinition {
  const place = { ...at, use: 'store' } as const
  const key = bind(store.key, { ...place, part: 'key' })
  const value = bind(store.value, { ...place, part: 'value' })
  return {
    ...store,
    key,
    value,
    ...(key !== store.key && { bindKeyPart: (part) => bind(part, { ...place, part: 'key' }) }),
  }
}
