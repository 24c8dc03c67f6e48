import type { Store } from './store.ts'

/** The methods of all types of stores that read. */
const READS = [
  'get',
  'peek',
  'load',
  'range',
  'reverseRange',
  'all',
  'reverseAll',
  'prefixScan',
  'scan',
  'reverseScan',
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
  return checkedStore(store, {
    ...(beforeRead !== undefined && { beforeRead }),
    beforeWrite: (method) => {
      throw new TypeError(`${method} of store ${store.name}: ${why}, which only its own processor changes`)
    },
  })
}

/** What runs around the methods of a store; each gets the method's name. */
export interface StoreChecks {
  /** Default: nothing does. */
  readonly beforeRead?: (method: string) => void
  readonly beforeWrite: (method: string) => void
  /** What is given instead of what a method has read. Default: that. */
  readonly afterRead?: (result: unknown) => unknown
}

/** A store of any type with something around its methods. */
export function checkedStore(store: Store, { beforeRead, beforeWrite, afterRead }: StoreChecks): Store {
  const methods = store as unknown as Readonly<
    Record<string, ((...values: unknown[]) => unknown) | undefined>
  >
  const view: Record<string, unknown> = { name: store.name }
  for (const method of READS) {
    const read = methods[method]?.bind(store)
    if (read === undefined) continue
    const checked = (...values: unknown[]): unknown => {
      beforeRead?.(method)
      const result = read(...values)
      return afterRead === undefined ? result : afterRead(result)
    }
    view[method] = beforeRead === undefined && afterRead === undefined ? read : checked
  }
  for (const method of WRITES) {
    const write = methods[method]?.bind(store)
    if (write === undefined) continue
    view[method] = (...values: unknown[]) => {
      beforeWrite(method)
      return write(...values)
    }
  }
  return view as unknown as Store
}
