/** What a failure in user code or in a serde becomes: a WeirError that says at which record and in which processor. */
import { DeserializationError } from '../consume/deserialization.ts'
import { namedError } from '../errors/named-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TaskClock } from '../process/task-clock.ts'

/** The failure of the record that the clock stands at: deserialization-failed or processing-failed; that of its state keeps its own code. */
export function recordFailed({ topic, partition, offset, node }: TaskClock, error: unknown): WeirError {
  const where = `${topic} partition ${partition} offset ${offset}`
  if (error instanceof DeserializationError) {
    return new WeirError('deserialization-failed', `${where}: ${error.message}`, { cause: error })
  }
  return processingFailed(`${where}, processor ${node}`, error)
}

export function processingFailed(where: string, error: unknown): WeirError {
  // Nothing that was processed on a database that cannot be read is to be committed.
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'string' && code.startsWith('rocksdb:')) return namedError(error, where)
  // Nor is a record to be taken for a bad one because a schema could not be had.
  if (error instanceof WeirError && error.code === 'schema-registry-unreachable')
    return new WeirError(error.code, `${where}: ${error.message}`, { cause: error })
  return new WeirError('processing-failed', `${where}: ${messageOf(error)}`, { cause: error })
}
