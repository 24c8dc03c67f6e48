import { open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import { WeirError } from '../errors/weir-error.ts'
import { isRestored, type StoreDefinition, type StoreType } from '../topology/definition.ts'

const LAYOUTS_FILE = 'stores.json'
/** What is written; lower ones are read, too. test/support/future-build.ts raises it. */
const FORMAT = 1

/** How a store's rows and its changelog's records are written. Two stores with the same layout can take each other's over. */
interface StoreLayout {
  /** Of the rows on disk; `none` for a store in memory. */
  readonly rows: string
  /** What the changelog's keys are. */
  readonly changelog: string
  /** Names of serdes. */
  readonly key: string
  readonly value: string
}

/** Serdes that write the same bytes under other names. */
const sameBytes: Readonly<Record<string, string>> = { bigint64: 'int64' }

/** Other key-value stores cannot read their changelogs. */
const OWN_CHANGELOGS: readonly StoreType[] = ['suppress-buffer', 'tiered-key-value', 'tiered-by-prefix']

function layoutOf({ type, inMemory, windows, versions, key, value }: StoreDefinition): StoreLayout {
  const windowed = type === 'timestamped-window' ? 'window' : type
  const segments = windows ?? versions
  const rows = segments === undefined ? type : `${type}, segments of ${segments.segmentIntervalMs} ms`
  return {
    rows: inMemory === true ? 'none' : rows,
    changelog: windows !== undefined || OWN_CHANGELOGS.includes(type) ? windowed : 'key',
    key: sameBytes[key.name] ?? key.name,
    value: sameBytes[value.name] ?? value.name,
  }
}

/**
 * The file `stores.json` of a task's folder: by which store types and serdes its rows were written. RocksDB and the changelog hold bytes; read
 * as another type's or another serde's they would be garbage, or worse, look right. docs/state-format.md.
 *
 * A store that the topology no longer has keeps its entry, as it keeps its rows.
 */
export class StoreLayouts {
  readonly #file: string
  readonly #stores: Map<string, StoreLayout>

  private constructor(file: string, stores: Map<string, StoreLayout>) {
    this.#file = file
    this.#stores = stores
  }

  /** @throws WeirError state-corrupt for a file that cannot be understood; an error of the file system */
  static async read(folder: string): Promise<StoreLayouts> {
    const file = path.join(folder, LAYOUTS_FILE)
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new StoreLayouts(file, new Map())
      throw error
    }
    try {
      const { format, stores } = JSON.parse(text) as { format: number; stores: Record<string, StoreLayout> }
      if (format >= 1 && format <= FORMAT) return new StoreLayouts(file, new Map(Object.entries(stores)))
    } catch {
      // The same as a later format: nobody knows what the rows are.
    }
    throw new WeirError('state-corrupt', `${file} cannot be read as a format up to ${FORMAT}`)
  }

  /**
   * What a store's definition makes of the rows that are there.
   *
   * @returns null: they are its own, or nothing is known of them; else a WeirError store-type-changed (its changelog has what it needs) or
   * store-changed (it has not)
   */
  compare(store: StoreDefinition): WeirError | null {
    const before = this.#stores.get(store.name)
    if (before === undefined) return null
    const now = layoutOf(store)
    const changes = (['changelog', 'key', 'value'] as const).filter((part) => before[part] !== now[part])
    if (changes.length > 0) {
      const [part] = changes as ['changelog' | 'key' | 'value']
      const what =
        part === 'changelog'
          ? `is of another type: its changelog was written for ${textOf(before)} and would be read for ${textOf(now)}`
          : `has another serde: its ${part}s were written by ${before[part]} and would be read by ${now[part]}`
      return new WeirError(
        'store-changed',
        `store ${store.name} ${what}; name the store anew, reset the application, or give it another WEIR_APPLICATION_ID`,
      )
    }
    if (before.rows === now.rows) return null
    // In memory there is nothing to take over, and without a changelog nothing to restore.
    if (!isRestored(store) && (before.rows === 'none' || now.rows === 'none')) return null
    const what = `store ${store.name}: its rows are those of ${before.rows}, not of ${now.rows}`
    if (isRestored(store)) return new WeirError('store-type-changed', what)
    return new WeirError(
      'store-changed',
      `${what}, and without logging it has no changelog to restore them from; name the store anew, or remove the state folder`,
    )
  }

  /** Writes down stores of which nothing is known yet. To be done before their first row is written. */
  async add(stores: readonly StoreDefinition[]): Promise<void> {
    await this.set(stores.filter(({ name }) => !this.#stores.has(name)))
  }

  /** Writes down stores as they are now. To be done when rows of another layout are gone. */
  async set(stores: readonly StoreDefinition[]): Promise<void> {
    const changed = stores.filter(
      (store) => !isDeepStrictEqual(this.#stores.get(store.name), layoutOf(store)),
    )
    if (changed.length === 0) return
    for (const store of changed) this.#stores.set(store.name, layoutOf(store))
    await this.#write()
  }

  /** Written aside, forced to the disk and moved into place, so that it is whole. */
  async #write(): Promise<void> {
    const aside = `${this.#file}.new`
    const text = JSON.stringify({ format: FORMAT, stores: Object.fromEntries(this.#stores) }, null, 2)
    await using file = await open(aside, 'w')
    await file.writeFile(`${text}\n`)
    await file.sync()
    await rename(aside, this.#file)
  }
}

function textOf({ changelog }: StoreLayout): string {
  return changelog === 'key' ? 'a key-value store' : `a ${changelog} store`
}
