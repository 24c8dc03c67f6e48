import { messageOf } from '../errors/weir-error.ts'
import type { Processor, ProcessorSupplier } from '../process/processor.ts'
import { checkFunction, kindOf } from './options.ts'
import { TopologyError } from './topology-error.ts'

/**
 * Calls the supplier twice: one that hands out the same processor again would share it between tasks. As Kafka Streams'
 * ApiUtils.checkSupplier.
 */
export function checkSupplier(where: string, supplier: unknown): void {
  checkFunction(where, 'the supplier', supplier)
  const make = (): Processor => {
    try {
      return (supplier as ProcessorSupplier)()
    } catch (error) {
      const isClass = /^class\b/.test(Function.prototype.toString.call(supplier))
      const hint = isClass ? ' (give a function that makes a new one: () => new ...)' : ''
      throw new TopologyError(`${where}: the supplier threw ${messageOf(error)}${hint}`, { cause: error })
    }
  }
  const first = make()
  if (typeof (first as Partial<Processor> | null | undefined)?.process !== 'function') {
    throw new TopologyError(
      `${where}: the supplier must return an object with process(record, context), not ${kindOf(first)}`,
    )
  }
  if (make() === first) {
    throw new TopologyError(
      `${where}: the supplier returned the same processor twice; it must make a new one at each call`,
    )
  }
}
