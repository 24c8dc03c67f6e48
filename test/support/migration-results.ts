import assert from 'node:assert/strict'

import { type ReadRecord, readToEnd } from '../../examples/support/kafka.ts'
import type { MigrationLoad } from './migration-load.ts'

/** The topics that test/support/topologies/migrated.ts writes, and the bytes of the times behind the keys of each. */
export const outputTopics = {
  totals: 0,
  closed: 8,
  counted: 8,
  visits: 16,
  teams: 0,
  joined: 0,
  deliveries: 0,
} as const

export type OutputTopic = keyof typeof outputTopics

/** Told once for each window or pair, in no order: what waits is told when somebody looks. */
const unordered: readonly OutputTopic[] = ['counted', 'joined']

/** What was told of each key, in order: `<times of the window> <value> <timestamp>`. */
export type Told = ReadonlyMap<string, readonly string[]>

/** What an application has told and is committed, but for what closes the windows. */
export async function toldTo(bootstrapServers: string, prefix: string, topic: OutputTopic): Promise<Told> {
  const told = new Map<string, string[]>()
  for (const record of await readToEnd(bootstrapServers, `${prefix}${topic}`)) {
    const { key, times } = split(record, outputTopics[topic])
    if (key.startsWith('closing')) continue
    const lines = told.get(key) ?? []
    // When both rows of a pair change it depends on the moment which of their times is the later.
    const time = topic === 'deliveries' ? '' : record.timestamp
    lines.push(`${times} ${shown(record.value)} ${time}`)
    told.set(key, lines)
  }
  if (unordered.includes(topic)) for (const lines of told.values()) lines.sort()
  return told
}

/** Of each window, or of the key where it has none, what was told last; nothing when that is its deletion. */
export function lastTold(told: Told): Told {
  return new Map(
    [...told].map(([key, lines]) => {
      const last = new Map(lines.map((line) => [line.split(' ')[0]!, line]))
      return [key, [...last.values()].filter((line) => line.split(' ')[1] !== 'null').sort()]
    }),
  )
}

/** Says where two applications differ first, by key. */
export function assertSame(actual: Told, expected: Told, what: string): void {
  assert.ok(expected.size > 0, `${what}: nothing was told`)
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    const [is, should] = [actual.get(key) ?? [], expected.get(key) ?? []]
    const at = Array.from({ length: Math.max(is.length, should.length) }).findIndex(
      (_, index) => is[index] !== should[index],
    )
    if (at < 0) continue
    const around = (lines: readonly string[]): string =>
      lines.slice(Math.max(0, at - 2), at + 4).join('\n    ')
    assert.fail(
      `${what}, ${key}, at ${at} of ${should.length}; there are ${is.length}:\n    ${around(is)}\n  instead of\n    ${around(should)}`,
    )
  }
}

/**
 * When an order and its customer change at the same time it depends on the moment which pairs there were, but for an order that does not change: then each of
 * its customer's rows is told once, from the one that there was when it came.
 */
export function assertDelivered(told: Told, load: MigrationLoad): void {
  for (const [key, { value, customer }] of load.fixedOrders) {
    const rows = customer === null ? [null] : load.customers.get(customer)!
    const possible = rows.map((row) => `${value}+${row}`)
    const values = (told.get(key) ?? []).map((line) => line.split(' ')[1]!)
    assert.ok(values.length > 0, `${key} was not told`)
    assert.deepEqual(values, possible.slice(-values.length), key)
  }
}

/** How the rows of a store are compared. */
interface ChangelogRule {
  readonly name: RegExp
  /** The bytes behind the time that is in the key: only rows that are younger than this, by the newest record, must be there. */
  readonly window?: { readonly bytesBehind: number; readonly retentionMs: number }
  /** Rows of the same key and time are numbered: Kafka Streams begins at 1 again after a restart. */
  readonly isNumbered?: boolean
  /** It depends on the moment. */
  readonly withoutTimestamp?: boolean
}

const changelogRules: readonly ChangelogRule[] = [
  { name: /AGGREGATE-STATE-STORE-0000000005/, window: { bytesBehind: 12, retentionMs: 15_000 } },
  { name: /AGGREGATE-STATE-STORE-0000000012/, window: { bytesBehind: 12, retentionMs: 600_000 } },
  { name: /visits/, window: { bytesBehind: 16, retentionMs: 7_000 } },
  { name: /OUTER(THIS|OTHER)/, window: { bytesBehind: 12, retentionMs: 26_000 }, isNumbered: true },
  { name: /deliveries/, withoutTimestamp: true },
  // Its records have the time of writing.
  { name: /SUPPRESS/, withoutTimestamp: true },
]

/** The rows of a store as its changelog has them: by key, without those that are deleted, or have expired at this time. */
export async function changelogRows(bootstrapServers: string, topic: string, nowMs: number): Promise<Told> {
  const { window, isNumbered, withoutTimestamp } =
    changelogRules.find(({ name }) => name.test(topic)) ?? ({} as ChangelogRule)
  const rows = new Map<string, readonly string[]>()
  for (const { partition, key, value, timestamp } of await readToEnd(bootstrapServers, topic)) {
    const timeAt = key!.length - (window?.bytesBehind ?? 0)
    if (window !== undefined && Number(key!.readBigInt64BE(timeAt)) <= nowMs - window.retentionMs) continue
    // Of an outer join's rows that wait, a time comes first: those whose time has come may have been told or not.
    if (/OUTERSHARED/.test(topic) && Number(key!.readBigInt64BE(0)) <= nowMs - 23_000) continue
    const id = `${partition}/${key!.toString('latin1', 0, isNumbered ? key!.length - 4 : undefined)}`
    if (value === null) rows.delete(id)
    else rows.set(id, [`${value.toString('hex')} ${withoutTimestamp ? '' : timestamp}`])
  }
  return rows
}

function split({ key }: ReadRecord, timeBytes: number): { key: string; times: string } {
  const end = key!.length - timeBytes
  return { key: key!.toString('utf8', 0, end), times: key!.toString('hex', end) }
}

function shown(value: Buffer | null): string {
  if (value === null) return 'null'
  return value.length === 8 && value[0] === 0 ? String(value.readBigInt64BE()) : value.toString()
}
