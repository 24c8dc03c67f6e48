import type { StreamRecord } from '../record.ts'

/** Whose row is being put into a store with caching; null outside of a put. */
export interface RecordAtWork {
  record: StreamRecord<unknown, unknown> | null
}

const ofStores = new WeakMap<object, RecordAtWork>()

/** One for each store: operators that share a store share its flush listener too, which is the last one's. */
export function recordAtWork(store: object): RecordAtWork {
  let atWork = ofStores.get(store)
  if (atWork === undefined) {
    atWork = { record: null }
    ofStores.set(store, atWork)
  }
  return atWork
}
