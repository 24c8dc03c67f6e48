import type { TaskDatabase } from '../../../src/native.ts'

/** A row as tests write it: null deletes, or is absent. */
export interface Row {
  readonly key: string
  readonly value: string | null
  readonly timestamp?: number
}

/** Applies rows as one batch. */
export function applyRows(database: TaskDatabase, store: number, rows: readonly Row[]): number {
  const capacity = Math.max(rows.length, 1)
  const arena = Buffer.from(rows.map(({ key, value }) => key + (value ?? '')).join(''), 'latin1')
  const columns = new Int32Array(4 * capacity)
  let position = 0
  rows.forEach(({ key, value }, index) => {
    columns[index] = position
    columns[capacity + index] = key.length
    columns[2 * capacity + index] = position + key.length
    columns[3 * capacity + index] = value === null ? -1 : value.length
    position += key.length + (value?.length ?? 0)
  })
  const timestamps = Float64Array.from(rows, ({ timestamp }) => timestamp ?? 0)
  return database.apply(store, arena, columns, timestamps, capacity, rows.length)
}

export function getRow(database: TaskDatabase, store: number, key: string): string | null {
  const arena = Buffer.from(key, 'latin1')
  let out = Buffer.alloc(8)
  let length = database.get(store, arena, 0, arena.length, out)
  if (length > out.length) {
    out = Buffer.alloc(length)
    length = database.get(store, arena, 0, arena.length, out)
  }
  return length < 0 ? null : out.latin1Slice(0, length)
}

export async function multiGetRows(
  database: TaskDatabase,
  store: number,
  keys: readonly string[],
): Promise<(string | null)[]> {
  const count = keys.length
  const arena = Buffer.from(keys.join(''), 'latin1')
  const columns = new Int32Array(4 * count)
  let position = 0
  keys.forEach((key, index) => {
    columns[index] = position
    columns[count + index] = key.length
    position += key.length
  })
  const rows = await database.multiGet(store, arena, columns, count, count)
  return keys.map((_key, index) => {
    const start = columns[2 * count + index]!
    const length = columns[3 * count + index]!
    return length < 0 ? null : rows.latin1Slice(start, start + length)
  })
}

/** All rows of a scan, read in chunks of `capacity` rows and `bytes`. */
export function scanRows(
  database: TaskDatabase,
  store: number,
  from: string | null = null,
  to: string | null = null,
  reverse = false,
  capacity = 5,
  bytes = 40,
): [string, string][] {
  const bound = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text, 'latin1'))
  const scan = database.scan(store, bound(from), bound(to), reverse)
  const columns = new Int32Array(4 * capacity)
  let out = Buffer.alloc(bytes)
  const rows: [string, string][] = []
  while (true) {
    const copied = scan.next(out, columns, capacity)
    if (copied < 0) {
      out = Buffer.alloc(-copied)
      continue
    }
    const count = copied >> 1
    for (let index = 0; index < count; index++) {
      const slice = (start: number): string =>
        out.latin1Slice(
          columns[start * capacity + index]!,
          columns[start * capacity + index]! + columns[(start + 1) * capacity + index]!,
        )
      rows.push([slice(0), slice(2)])
    }
    if (copied % 2 === 1) break
  }
  scan.close()
  return rows
}
