import { checkedStore } from '../../state/read-only-store.ts'
import { ScanIterator } from '../../state/scan-iterator.ts'
import type { Store, StoreIterator } from '../../state/store.ts'
import type { TurnGate } from './turn-gate.ts'

/** A store of any type that is refused when the gate is not open for it. */
export function gatedStore(store: Store, gate: TurnGate): Store {
  const of = (method: string): string => `${method} of store ${store.name}`
  return checkedStore(store, {
    beforeRead: (method) => gate.checkRead(of(method)),
    beforeWrite: (method) => gate.checkChange(of(method)),
    afterRead: (result) => (result instanceof ScanIterator ? new GatedScan(result, gate) : result),
  })
}

/** One that was closed gives no more rows: whoever goes on with it must not take that for the end. */
class GatedScan<K, V> extends ScanIterator<K, V> {
  readonly #scan: StoreIterator<K, V>
  readonly #gate: TurnGate
  readonly #opening: number

  constructor(scan: StoreIterator<K, V>, gate: TurnGate) {
    super()
    this.#scan = scan
    this.#gate = gate
    this.#opening = gate.opening
  }

  override next(): IteratorResult<{ readonly key: K; readonly value: V }> {
    this.#gate.checkScan(this.#opening)
    return this.#scan.next()
  }

  override close(): void {
    this.#scan.close()
  }
}
