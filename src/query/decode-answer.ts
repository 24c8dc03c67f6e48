import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { WireAnswer, WireQuery, WireRow } from './wire-query.ts'

/** What a query's type makes of the answers of one or several partitions. */
export async function decodeAnswers(
  query: WireQuery,
  answers: readonly WireAnswer[],
  definition: StoreDefinition,
): Promise<unknown> {
  switch (query.type) {
    case 'count':
      return answers.reduce((sum, { count = 0 }) => sum + count, 0)
    case 'key':
    case 'version': {
      const row = answers.flatMap(({ rows }) => rows)[0]
      if (row === undefined) return null
      const value = await decoded(definition.value, row.value)
      if (query.type === 'version') return { value, timestamp: row.timestamp, validTo: row.validTo }
      return query.withTimestamp ? { value, timestamp: row.timestamp } : value
    }
    case 'range':
      return await decodedRange(query, answers, definition)
    case 'windows':
    case 'sessions':
      return await decodedWindows(query.limit, answers, definition)
  }
}

async function decodedRange(
  query: Extract<WireQuery, { type: 'range' }>,
  answers: readonly WireAnswer[],
  definition: StoreDefinition,
): Promise<unknown> {
  const sorted = answers.flatMap(({ rows }) => rows).sort((a, b) => Buffer.compare(a.key!, b.key!))
  if (query.reverse) sorted.reverse()
  // Of a partition that has more, rows may lie between those that have come of others: only what comes before is certain.
  const ends = answers.filter(({ hasMore }) => hasMore).map(({ rows }) => rows.at(-1)!.key!)
  const order = query.reverse ? -1 : 1
  const isCertain = ({ key }: WireRow): boolean => ends.every((end) => Buffer.compare(key!, end) * order <= 0)
  const certain = sorted.filter(isCertain)
  const taken = certain.slice(0, query.limit)
  const hasMore = ends.length > 0 || certain.length > taken.length
  const rows = await Promise.all(
    taken.map(async (row) => {
      const key = await decoded(definition.key, row.key!)
      const value = await decoded(definition.value, row.value)
      return { key, value: query.withTimestamp ? { value, timestamp: row.timestamp } : value }
    }),
  )
  return { rows, next: hasMore ? rows.at(-1)!.key : null }
}

async function decodedWindows(
  limit: number,
  answers: readonly WireAnswer[],
  definition: StoreDefinition,
): Promise<unknown> {
  // A key has its windows in one partition; where several are asked, they come one after the other.
  const all = answers.flatMap(({ rows }) => rows)
  const rows = await Promise.all(
    all.slice(0, limit).map(async ({ value, start, end, timestamp }) => ({
      window: { start, end },
      value: await decoded(definition.value, value),
      ...(timestamp !== undefined && { timestamp }),
    })),
  )
  return { rows, next: answers.find(({ hasMore }) => hasMore)?.nextMs ?? null }
}

async function decoded<T>(serde: Serde<T>, bytes: Uint8Array): Promise<T> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  await serde.awaits?.(buffer, 0, buffer.length)
  return serde.deserialize(buffer, 0, buffer.length)
}
