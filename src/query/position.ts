import { QueryError } from './query-error.ts'

/**
 * Up to where something has been processed: by topic and partition the offset of the last record. KIP-796's Position; JSON as it is.
 *
 * `{ "page-views": { "3": 1042 } }`
 */
export type Position = Readonly<Record<string, Readonly<Record<string, number>>>>

/** One input of a task. */
export interface InputPosition {
  readonly topic: string
  readonly partition: number
  /** Of the last record that was processed; below 0: none was. */
  readonly offset: number
}

export function positionOf(inputs: Iterable<InputPosition>): Position {
  const position: Record<string, Record<string, number>> = {}
  for (const { topic, partition, offset } of inputs) {
    if (offset < 0) continue
    const offsets = position[topic] ?? {}
    offsets[partition] = offset
    position[topic] = offsets
  }
  return position
}

/** Of each partition the higher offset. KIP-796's Position.merge. */
export function mergePositions(positions: readonly Position[]): Position {
  const merged: Record<string, Record<string, number>> = {}
  for (const position of positions) {
    for (const [topic, offsets] of Object.entries(position)) {
      const into = merged[topic] ?? {}
      for (const [partition, offset] of Object.entries(offsets))
        into[partition] = Math.max(offset, into[partition] ?? -1)
      merged[topic] = into
    }
  }
  return merged
}

/**
 * Whether a task has processed what a bound asks of its inputs; what the bound says of other partitions is others' to fulfil.
 *
 * @returns the first input that is behind, null when none is
 */
export function behindBound(inputs: Iterable<InputPosition>, bound: Position): InputPosition | null {
  for (const input of inputs) if ((bound[input.topic]?.[input.partition] ?? -1) > input.offset) return input
  return null
}

/** @param topics that may be named. @throws QueryError query-invalid */
export function checkBound(bound: unknown, topics: ReadonlySet<string>, store: string): Position {
  const allowed = 'a position bound is { topic: { partition: offset } }, with whole numbers from 0'
  if (typeof bound !== 'object' || bound === null || Array.isArray(bound))
    throw new QueryError('query-invalid', allowed)
  for (const [topic, offsets] of Object.entries(bound)) {
    if (!topics.has(topic)) {
      const what = `the position bound names ${topic}; store ${store} is made of ${[...topics].join(', ')}`
      throw new QueryError('query-invalid', what)
    }
    if (typeof offsets !== 'object' || offsets === null) throw new QueryError('query-invalid', allowed)
    for (const [partition, offset] of Object.entries(offsets))
      if (!/^\d{1,9}$/.test(partition) || !Number.isSafeInteger(offset) || (offset as number) < 0)
        throw new QueryError('query-invalid', allowed)
  }
  return bound as Position
}
