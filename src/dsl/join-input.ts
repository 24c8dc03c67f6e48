import type { Serde } from '../serde/serde.ts'
import type { RepartitionGraphNode } from './graph.ts'
import { repartitionNode } from './repartition.ts'
import { requireSerde } from './serde-state.ts'
import { type StreamParts, sourceParts } from './stream-parts.ts'

/** A stream as its joins read it: by its keys. Kafka Streams' KStreamImpl.repartitionForJoin. */
export class JoinInput<K, V> {
  readonly parts: StreamParts<K, V>
  /** The last topic that the stream was written to for a join. */
  #repartition: RepartitionGraphNode | null = null

  constructor(parts: StreamParts<K, V>) {
    this.parts = parts
  }

  /**
   * The stream with its records where their keys belong: when the key has changed, after a repartition topic, the same one at each join unless it is
   * given a name.
   */
  byKey(
    method: string,
    given: string | undefined,
    keySerde: Serde<K> | undefined,
    valueSerde: Serde<V> | undefined,
  ): StreamParts<K, V> {
    if (!this.parts.repartitionRequired) return this.parts
    const { graph, node } = this.parts
    const name = given ?? node.name
    const key = requireSerde(method, 'key', keySerde, this.parts.key)
    const value = requireSerde(method, 'value', valueSerde, this.parts.value)
    const made = repartitionNode(graph, { name, key, value, isMergeable: true })
    if (this.#repartition === null || name !== node.name) this.#repartition = graph.add(made, node)
    return sourceParts(graph, this.#repartition, key, value)
  }
}
