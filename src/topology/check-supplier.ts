import { messageOf } from '../errors/weir-error.ts'
import type { AsyncProcessor } from '../process/async-processor.ts'
import type { Processor } from '../process/processor.ts'
import { checkFunction, kindOf } from './options.ts'
import { TopologyError } from './topology-error.ts'

/**
 * Calls the supplier twice: one that hands out the same processor again would share it between tasks. As Kafka Streams'
 * ApiUtils.checkSupplier.
 */
export function checkSupplier(where: string, supplier: unknown): void {
  checkMade<Processor>(where, supplier, ({ process }) =>
    typeof process === 'function' ? null : 'process(record, context)',
  )
}

/** The same, of async processors. */
export function checkAsyncSupplier(where: string, supplier: unknown): void {
  checkMade<AsyncProcessor>(where, supplier, ({ process, complete }) => {
    if (typeof process !== 'function') return 'process(record, context)'
    const isCompleting = complete === undefined || typeof complete === 'function'
    return isCompleting ? null : 'complete(record, result, context), or none'
  })
}

/** @param lacks what one lacks to be a processor; null: nothing */
function checkMade<P extends object>(
  where: string,
  supplier: unknown,
  lacks: (made: Partial<P>) => string | null,
): void {
  checkFunction(where, 'the supplier', supplier)
  const make = (): P => {
    try {
      return (supplier as () => P)()
    } catch (error) {
      const isClass = /^class\b/.test(Function.prototype.toString.call(supplier))
      const hint = isClass ? ' (give a function that makes a new one: () => new ...)' : ''
      throw new TopologyError(`${where}: the supplier threw ${messageOf(error)}${hint}`, { cause: error })
    }
  }
  const first = make()
  const lacking = lacks((first ?? {}) as Partial<P>)
  if (lacking !== null) {
    throw new TopologyError(
      `${where}: the supplier must return an object with ${lacking}, not ${kindOf(first)}`,
    )
  }
  if (make() === first) {
    throw new TopologyError(
      `${where}: the supplier returned the same processor twice; it must make a new one at each call`,
    )
  }
}
