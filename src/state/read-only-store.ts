import type { Store } from './store.ts'

/** The methods of all types of stores that read. */
const READS = [
  'get',
  'peek',
  'range',
  'reverseRange',
  'all',
  'reverseAll',
  'prefixScan',
  'approximateEntryCount',
  'fetch',
  'fetchAll',
  'fetchSession',
  'findSessions',
  'backwardAll',
  'backwardFetch',
  'backwardFetchAll',
  'backwardFindSessions',
]
const WRITES = ['put', 'putIfAbsent', 'update', 'delete', 'remove']

/**
 * A store of any type as those see it who must not change it: what writes throws a TypeError. Kafka Streams' AbstractReadOnlyDecorator.
 *
 * @param why for the message: `it is a global store`
 * @param beforeRead runs before each of the methods that read. Default: nothing does
 */
export function readOnlyStore(store: Store, why: string, beforeRead?: () => void): Store {
  const methods = store as unknown as Readonly<
    Record<string, ((...values: unknown[]) => unknown) | undefined>
  >
  const view: Record<string, unknown> = { name: store.name }
  for (const method of READS) {
    const read = methods[method]?.bind(store)
    if (read === undefined) continue
    view[method] =
      beforeRead === undefined
        ? read
        : (...values: unknown[]) => {
            beforeRead()
            return read(...values)
          }
  }
  for (const method of WRITES) {
    if (methods[method] === undefined) continue
    view[method] = () => {
      throw new TypeError(`${method} of store ${store.name}: ${why}, which only its own processor changes`)
    }
  }
  return view as unknown as Store
}
