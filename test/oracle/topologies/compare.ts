import assert from 'node:assert/strict'

import type { Description, OutputRow, Result } from './description.ts'

/**
 * Both sides must have written the same records to each topic for each event, byte for byte and in the same order, and hold the same rows.
 *
 * @throws AssertionError with the topology and the difference
 */
export function assertSame(description: Description, weir: Result, java: Result): void {
  try {
    // Who refuses says so in words of their own.
    if (weir.refused !== undefined && java.refused !== undefined) return
    assert.deepEqual(normalized(weir, description.caching), normalized(java, description.caching))
  } catch (error) {
    throw new assert.AssertionError({
      message: `Weir (actual) and Kafka Streams (expected) differ\n${shown(description)}\n${(error as Error).message}`,
      actual: weir,
      expected: java,
    })
  }
}

function normalized({ refused, failed, rounds, stores }: Result, caching: boolean): Result {
  const changelogs = new Map<string, Changelog>()
  const changelog = (topic: string): Changelog => {
    if (!changelogs.has(topic)) changelogs.set(topic, new Changelog(caching))
    return changelogs.get(topic)!
  }
  return {
    ...(refused !== undefined && { refused }),
    ...(failed !== undefined && { failed }),
    ...(rounds !== undefined && {
      rounds: rounds.map((round) =>
        Object.fromEntries(
          Object.entries(round)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(
              ([topic, rows]) =>
                [
                  topic,
                  topic.endsWith('-changelog') ? changelog(topic).changes(timed(topic, rows)) : rows,
                ] as const,
            )
            .filter(([, rows]) => rows.length > 0),
        ),
      ),
    }),
    ...(stores !== undefined && {
      stores: Object.fromEntries(
        Object.entries(stores)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, rows]) => [name, rows.some(isWindow) ? [...rows].sort(byText) : rows]),
      ),
    }),
  }
}

/** Kafka Streams leaves it to the producer when a buffer's changes were written. */
function timed(topic: string, rows: readonly OutputRow[]): readonly OutputRow[] {
  if (!/-(KTABLE-SUPPRESS-STATE-STORE-\d+|hold-.*-store)-changelog$/.test(topic)) return rows
  return rows.map(([key, value, , headers]) => [key, value, 0, headers])
}

/** Windows that are told when they close: Kafka Streams has their rows by time, Weir by key as everywhere. */
function isWindow([key]: readonly unknown[]): boolean {
  return /@\d+-\d+$/.test(String(key))
}

/** Ends with 12 bytes (windows) or 16 (sessions); other keys are shorter. */
function isWindowKey(hex: string | null): boolean {
  return hex !== null && hex.length > 2 * 12
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

/**
 * What a changelog says. Kafka Streams without a cache logs every put, Weir the last one of each key in a commit, in order of the keys; and with
 * a cache Kafka Streams leaves out the deletion of a key that was not there, or whose window has expired.
 */
class Changelog {
  readonly #caching: boolean
  readonly #present = new Set<string | null>()

  constructor(caching: boolean) {
    this.#caching = caching
  }

  changes(rows: readonly OutputRow[]): OutputRow[] {
    const last = new Map(rows.map((row) => [row[0], row]))
    const changes = [...last.values()].filter(
      ([key, value]) => value !== null || (this.#present.has(key) && !(this.#caching && isWindowKey(key))),
    )
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
