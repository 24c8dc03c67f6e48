/** What a failure in user code or in a serde becomes: a WeirError that says at which record and in which processor. */
import { DeserializationError } from '../consume/deserialization.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TaskClock } from '../process/task-clock.ts'

/** The failure of the record that the clock stands at: deserialization-failed or processing-failed. */
export function recordFailed({ topic, partition, offset, node }: TaskClock, error: unknown): WeirError {
  const where = `${topic} partition ${partition} offset ${offset}`
  if (error instanceof DeserializationError) {
    return new WeirError('deserialization-failed', `${where}: ${error.message}`, { cause: error })
  }
  return processingFailed(`${where}, processor ${node}`, error)
}

export function processingFailed(where: string, error: unknown): WeirError {
  return new WeirError('processing-failed', `${where}: ${messageOf(error)}`, { cause: error })
}
