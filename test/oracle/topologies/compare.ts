import assert from 'node:assert/strict'

import { type Description, historyMs, type OutputRow, type Result } from './description.ts'
import { isJoinChangelog, isWaitingChangelog, joinRecords, keptRecords } from './join-changelogs.ts'

/**
 * Both sides must have written the same records to each topic for each event, byte for byte and in the same order, and hold the same rows.
 *
 * @throws AssertionError with the topology and the difference
 */
export function assertSame(description: Description, weir: Result, java: Result): void {
  try {
    // Who refuses says so in words of their own.
    if (weir.refused !== undefined && java.refused !== undefined) return
    const { caching } = description
    const histories = historiesOf(description)
    const expected = keptRecords(java, histories)
    const isVersioned = (topic: string): boolean => histories.has(topic)
    assert.deepEqual(
      normalized(weir, expected, caching, isVersioned),
      normalized(expected, weir, caching, isVersioned),
    )
  } catch (error) {
    throw new assert.AssertionError({
      message: `Weir (actual) and Kafka Streams (expected) differ\n${shown(description)}\n${(error as Error).message}`,
      actual: weir,
      expected: java,
    })
  }
}

/** By their changelogs' names how long versioned stores remember, ms. */
function historiesOf({ steps }: Description): Map<string, number> {
  const versioned = steps.filter(({ store }) => store === 'versioned')
  return new Map(versioned.map(({ storeName, n }) => [`oracle-${storeName}-changelog`, historyMs(n)]))
}

function normalized(
  { refused, failed, rounds, stores }: Result,
  { rounds: others }: Result,
  caching: boolean,
  isVersioned: (topic: string) => boolean,
): Result {
  const changelogs = new Map<string, Changelog>()
  const changelog = (topic: string): Changelog => {
    if (!changelogs.has(topic)) changelogs.set(topic, new Changelog())
    return changelogs.get(topic)!
  }
  const compared = (topic: string, given: readonly OutputRow[], index: number): readonly OutputRow[] => {
    if (isJoinChangelog(topic)) return joinRecords(given)
    if (!topic.endsWith('-changelog') || isVersioned(topic)) return given
    const rows = withoutHeaders(topic, timed(topic, given))
    if (!caching || isWaitingChangelog(topic)) return changelog(topic).changes(rows)
    const sides = [rows, others?.[index]?.[topic] ?? []]
    const deleted = new Set(sides.flatMap(deletedWindows))
    const deletedTwice = new Set(sides.flatMap(deletedAgain))
    const alike = rows
      .filter(([key]) => !deleted.has(key))
      .map((row) => (row[1] === null && deletedTwice.has(row[0]) ? undated(row) : row))
    return changelog(topic).changes(alike)
  }
  return {
    ...(refused !== undefined && { refused }),
    // Values that do not fit a serde fail on both sides; each says so in its own words.
    ...(failed !== undefined && { failed: 'failed' }),
    ...(rounds !== undefined && {
      rounds: rounds.map((round, index) =>
        Object.fromEntries(
          Object.entries(round)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([topic, rows]) => [topic, compared(topic, rows, index)] as const)
            .filter(([, rows]) => rows.length > 0),
        ),
      ),
    }),
    ...(stores !== undefined && {
      stores: Object.fromEntries(
        Object.entries(stores)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, given]) => {
            // In memory Kafka Streams' rows have a timestamp besides.
            const rows = isJoinChangelog(`${name}-changelog`)
              ? given.map(([key, value]) => [key, value])
              : given
            return [name, rows.some(isWindow) ? [...rows].sort(byText) : rows]
          }),
      ),
    }),
  }
}

/** Kafka Streams leaves it to the producer when a buffer's changes were written. */
function timed(topic: string, rows: readonly OutputRow[]): readonly OutputRow[] {
  if (!/-(KTABLE-SUPPRESS-STATE-STORE-\d+|hold-.*-store|.*-Buffer)-changelog$/.test(topic)) return rows
  return rows.map(([key, value, , headers]) => [key, value, 0, headers])
}

/** Kafka Streams logs headers of subscriptions to foreign keys, which no store has. */
function withoutHeaders(topic: string, rows: readonly OutputRow[]): readonly OutputRow[] {
  if (!/-(KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-\d+|foreign-.*-subscription-store)-changelog$/.test(topic))
    return rows
  return rows.map(([key, value, timestamp]) => [key, value, timestamp, []])
}

/** Windows that are told when they close: Kafka Streams has their rows by time, Weir by key as everywhere. */
function isWindow([key]: readonly unknown[]): boolean {
  return /@\d+-(\d+|end)$/.test(String(key))
}

/** Ends with 12 bytes (windows) or 16 (sessions); other keys are shorter. */
function isWindowKey(hex: string | null): boolean {
  return hex !== null && hex.length > 2 * 12
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

/** Windows whose last change is a deletion. With a cache it depends on the window having expired whether Kafka Streams logs it. */
function deletedWindows(rows: readonly OutputRow[]): (string | null)[] {
  const last = new Map(rows.map(([key, value]) => [key, value]))
  return [...last].filter(([key, value]) => value === null && isWindowKey(key)).map(([key]) => key)
}

/** Keys that were deleted more than once. With a cache Kafka Streams logs the deletion of a row that was there alone, Weir the later ones too. */
function deletedAgain(rows: readonly OutputRow[]): (string | null)[] {
  const keys = rows.filter(([, value]) => value === null).map(([key]) => key)
  return keys.filter((key, index) => keys.indexOf(key) !== index)
}

function undated([key, value, , headers]: OutputRow): OutputRow {
  return [key, value, 0, headers]
}

/**
 * What a changelog says. Kafka Streams without a cache logs every put, Weir the last one of each key in a commit, in order of the keys; and with
 * a cache Kafka Streams leaves out the deletion of a key that was not there.
 */
class Changelog {
  readonly #present = new Set<string | null>()

  changes(rows: readonly OutputRow[]): OutputRow[] {
    const last = new Map(rows.map((row) => [row[0], row]))
    const changes = [...last.values()].filter(([key, value]) => value !== null || this.#present.has(key))
    for (const [key, value] of changes) {
      if (value === null) this.#present.delete(key)
      else this.#present.add(key)
    }
    return changes.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  }
}

function shown({ caching, optimized, steps, events }: Description): string {
  const lines = steps.map(
    ({ op, in: inputs, n, topic, store, storeName }, index) =>
      `  ${index} = ${op}(${inputs.join(', ')}) n=${n}${topic === '' ? '' : ` topic=${topic}`}${store === 'none' ? '' : ` store=${store === 'with' ? store : `${storeName} (${store})`}`}`,
  )
  const piped = events.map((event) => `  ${JSON.stringify(event)}`)
  return [
    `caching ${caching ? 'on' : 'off'}, ${optimized ? '' : 'not '}optimized`,
    ...lines,
    'events',
    ...piped,
  ].join('\n')
}
