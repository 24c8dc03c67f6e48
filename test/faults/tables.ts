import type cassandra from 'cassandra-driver'

import type { Problems } from './problems.ts'
import type { Told, Track, Verdict } from './verifier.ts'

/** What the tables of tiered stores have: rows by their keys. */
export interface Tables {
  readonly tracks: ReadonlyMap<string, Track>
  readonly marks: ReadonlyMap<string, number>
}

/** Reads the tables as any client would. @param names with their keyspace, quoted */
export async function readTables(
  client: cassandra.Client,
  names: { readonly tracks: string; readonly marks: string },
): Promise<Tables> {
  const read = async <T>(table: string, decode: (value: Buffer) => T): Promise<Map<string, T>> => {
    const rows = new Map<string, T>()
    const result = await client.execute(`SELECT key, value FROM ${table}`, [], { fetchSize: 1_000 })
    for await (const { key, value } of result) rows.set((key as Buffer).toString(), decode(value as Buffer))
    return rows
  }
  return {
    tracks: await read(names.tracks, (value) => JSON.parse(value.toString()) as Track),
    marks: await read(names.marks, (value) => Number(value.readBigInt64BE(0))),
  }
}

/**
 * Judges final rows by what the source has. Under both guarantees there is one row for each key that has one, and it is that of the key's last record: what a stage has told with
 * it, and its mark. How often it has seen records is for who judges states.
 *
 * @param told by the stage whose state the tables have
 * @param numbers the last of each key
 */
export function judgeTables(
  { tracks, marks }: Tables,
  told: readonly Told[],
  numbers: ReadonlyMap<string, number>,
  verdict: Verdict,
  problems: Problems,
): void {
  const toldLast = Map.groupBy(
    told.filter(({ key, number }) => number === numbers.get(key)),
    ({ key }) => key,
  )
  for (const [key, last] of numbers) {
    const track = tracks.get(key)
    // Without one it is lost from the state.
    if (track !== undefined && toldLast.get(key)?.some((one) => isSame(one.track, track)) !== true)
      problems.add(
        'a row is not what was told',
        `${key}: ${JSON.stringify(track)}, of ${last} told was ${JSON.stringify(toldLast.get(key)?.map((one) => one.track))}`,
      )
    const mark = marks.get(key)
    const should = last % 4 === 0 ? undefined : last
    if (mark === should) continue
    verdict.lost++
    problems.add(
      'lost from a row',
      `${key}: the mark is ${mark}, not ${should}; the source ends with ${last}`,
    )
  }
  for (const key of new Set([...tracks.keys(), ...marks.keys()]))
    if (!numbers.has(key)) problems.add('a row of no record', key)
}

function isSame(one: Track, other: Track): boolean {
  return (['count', 'last', 'gaps', 'repeats', 'checksum'] as const).every(
    (name) => one[name] === other[name],
  )
}
