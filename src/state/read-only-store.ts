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
  return checkedStore(store, beforeRead ?? null, (method) => {
    throw new TypeError(`${method} of store ${store.name}: ${why}, which only its own processor changes`)
  })
}

/**
 * A store of any type that somebody is asked about before it is used.
 *
 * @param beforeRead, beforeWrite run before each of the methods that read, or write, with its name; null: nothing does
 */
export function checkedStore(
  store: Store,
  beforeRead: ((method: string) => void) | null,
  beforeWrite: (method: string) => void,
): Store {
  const methods = store as unknown as Readonly<
    Record<string, ((...values: unknown[]) => unknown) | undefined>
  >
  const view: Record<string, unknown> = { name: store.name }
  const add = (names: readonly string[], before: ((method: string) => void) | null): void => {
    for (const method of names) {
      const call = methods[method]?.bind(store)
      if (call === undefined) continue
      view[method] =
        before === null
          ? call
          : (...values: unknown[]) => {
              before(method)
              return call(...values)
            }
    }
  }
  add(READS, beforeRead)
  add(WRITES, beforeWrite)
  return view as unknown as Store
}
