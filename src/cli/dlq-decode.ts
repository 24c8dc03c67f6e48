import { isUtf8 } from 'node:buffer'

import { messageOf } from '../errors/weir-error.ts'
import type { Headers } from '../process/headers.ts'
import type { Serde } from '../serde/serde.ts'
import { sinkTopics, type TopologyDefinition } from '../topology/definition.ts'
import { realTopic } from '../topology/topic-names.ts'
import { wholeMatcher } from '../topology/topic-patterns.ts'

/** Bytes as people read them. */
export interface DecodedPart {
  /** What the serde makes of them, as JSON; text where they are some; hexadecimal digits otherwise. */
  readonly text: string
  /** The serde's name, `text` or `hex`. */
  readonly as: string
  /** Why the topology's serde could not read them. */
  readonly problem: string | null
}

export interface TopicSerdes {
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
}

/** The serdes that a topology reads a topic with, or else writes it with; null for a topic that it does not know. */
export function serdesOf(
  topology: TopologyDefinition,
  applicationId: string,
  topic: string,
): TopicSerdes | null {
  const nodes = [
    ...topology.subtopologies.flatMap((subtopology) => subtopology.nodes),
    ...(topology.globalStores ?? []).map(({ source }) => source),
  ]
  const isThis = (name: string): boolean => realTopic(topology, applicationId, name) === topic
  for (const node of nodes) {
    if (node.kind !== 'source') continue
    if (node.topics.some(isThis) || (node.pattern !== undefined && wholeMatcher(node.pattern)(topic)))
      return node
  }
  for (const node of nodes) if (node.kind === 'sink' && sinkTopics(node).some(isThis)) return node
  return null
}

/** @param serde null: none is known. @returns null for null */
export function decodePart(bytes: Buffer | null, serde: Serde<unknown> | null): DecodedPart | null {
  if (bytes === null) return null
  if (serde === null) return plain(bytes, null)
  try {
    const value = serde.deserialize(bytes, 0, bytes.length)
    return { text: asText(value), as: serde.name, problem: null }
  } catch (error) {
    return plain(bytes, `no ${serde.name}: ${messageOf(error)}`)
  }
}

function plain(bytes: Buffer, problem: string | null): DecodedPart {
  return isUtf8(bytes)
    ? { text: JSON.stringify(bytes.toString()), as: 'text', problem }
    : { text: bytes.toString('hex'), as: 'hex', problem }
}

function asText(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return String(part)
    if (part instanceof Map) return Object.fromEntries(part)
    return part
  })
  return text ?? String(value)
}

/** Headers as text where they are, as hexadecimal digits otherwise. */
export function decodeHeaders(headers: Headers): { key: string; value: string | null }[] {
  return [...headers].map(({ key, value }) => ({
    key,
    value: value === null ? null : isUtf8(value) ? value.toString() : `0x${value.toString('hex')}`,
  }))
}
