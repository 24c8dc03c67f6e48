import { localSerde } from '../../serde/binding.ts'
import { ByteWriter } from '../../serde/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Change } from './change.ts'

/** Where a row goes, and what of it. A null in either leaves the row out. */
export interface GroupedRow<K, V> {
  readonly key: K | null
  readonly value: V | null
}

/** @returns the group of a row, and the value that is aggregated */
export type RowSelector<K, V, K2, V2> = (value: V, key: K) => GroupedRow<K2, V2>

interface Selected<K, V> {
  readonly key: K
  readonly value: V
}

class TableRepartitionMap<K, V, K2, V2> implements Processor<K, Change<V>, K2, Change<V2>> {
  readonly #selector: RowSelector<K, V, K2, V2>
  readonly #isSame: (one: K2, other: K2) => boolean
  readonly #isVersioned: boolean

  constructor(
    selector: RowSelector<K, V, K2, V2>,
    isSame: (one: K2, other: K2) => boolean,
    isVersioned: boolean,
  ) {
    this.#selector = selector
    this.#isSame = isSame
    this.#isVersioned = isVersioned
  }

  process(record: StreamRecord<K, Change<V>>, context: ProcessorContext<K2, Change<V2>>): void {
    const { key, timestamp, headers } = record
    if (this.#isVersioned && record.value.isLatest === false) return
    const added = this.#select(record.value.newValue, key)
    const removed = this.#select(record.value.oldValue, key)
    if (added !== null && removed !== null && this.#isSame(removed.key, added.key)) {
      const value = { newValue: added.value, oldValue: removed.value }
      context.forward({ key: removed.key, value, timestamp, headers })
      return
    }
    // The old group loses the row before the new one gets it.
    if (removed !== null) {
      const value = { newValue: null, oldValue: removed.value }
      context.forward({ key: removed.key, value, timestamp, headers })
    }
    if (added !== null) {
      const value = { newValue: added.value, oldValue: null }
      context.forward({ key: added.key, value, timestamp, headers })
    }
  }

  #select(value: V | null, key: K): Selected<K2, V2> | null {
    if (value === null) return null
    const row = this.#selector(value, key)
    if (row === null || typeof row !== 'object' || row.key === undefined || row.value === undefined)
      throw new TypeError(
        'groupBy: the selector must return { key, value }; null in either leaves the row out',
      )
    return row.key === null || row.value === null ? null : (row as Selected<K2, V2>)
  }
}

/** Keys are the same when their bytes are, as in their topic. */
function keyComparison<K>(serde: Serde<K>): (one: K, other: K) => boolean {
  const writer = new ByteWriter(256)
  const local = localSerde(serde)
  return (one, other) => {
    if (one === other) return true
    if (serde.primitive === true) return false
    writer.reset()
    local.serialize(one, writer)
    const middle = writer.position
    local.serialize(other, writer)
    return writer.buffer.compare(writer.buffer, 0, middle, middle, writer.position) === 0
  }
}

/**
 * Forwards the changes of rows under the keys of their groups: what goes out of one and what comes into one, or both at once when the group is
 * the same. Kafka Streams' KTableRepartitionMap.
 *
 * @param key of the groups
 * @param isVersioned whether the rows are those of a versioned table, of which a version behind the latest changes no group
 */
export function tableRepartitionMap<K, V, K2, V2>(
  selector: RowSelector<K, V, K2, V2>,
  key: Serde<K2>,
  isVersioned: boolean,
): ProcessorSupplier<K, Change<V>, K2, Change<V2>> {
  return () => new TableRepartitionMap(selector, keyComparison(key), isVersioned)
}
