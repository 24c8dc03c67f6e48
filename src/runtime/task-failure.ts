/** What a failure in user code or in a serde becomes: a WeirError that says at which record and in which processor. */
import { DeserializationError } from '../consume/deserialization.ts'
import type { ErrorCode } from '../errors/codes.ts'
import { namedError } from '../errors/named-error.ts'
import { isRegistryFault } from '../errors/registry-fault.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { TaskId } from './protocol.ts'

/** A record is to blame, or the code that processed it, and its place is in the message: what came before it is whole. */
export class RecordFailure extends WeirError {}

/** The failure of the record that the clock stands at: deserialization-failed or processing-failed; that of its state keeps its own code. */
export function recordFailed({ topic, partition, offset, node }: TaskClock, error: unknown): WeirError {
  const where = `${topic} partition ${partition} offset ${offset}`
  if (error instanceof DeserializationError) {
    return new RecordFailure('deserialization-failed', `${where}: ${error.message}`, { cause: error })
  }
  return processingFailed(`${where}, processor ${node}`, error)
}

/** @param code of what has nothing to do with the state. Default: processing-failed */
export function processingFailed(
  where: string,
  error: unknown,
  code: ErrorCode = 'processing-failed',
): WeirError {
  // It says where it was already.
  if (error instanceof RecordFailure) return error
  if (isRegistryFault(error)) return new WeirError(error.code, `${where}: ${error.message}`, { cause: error })
  if (isStateFailure(error)) return namedError(error, where)
  if (error instanceof WeirError && error.code === 'async-timeout') code = error.code
  return new RecordFailure(code, `${where}: ${messageOf(error)}`, { cause: error })
}

/** Runs user code where no record is at work. @throws WeirError that says where its error came from */
export function guarded(taskId: TaskId, clock: TaskClock, run: () => void): void {
  try {
    run()
  } catch (error) {
    throw processingFailed(`task ${taskId}, processor ${clock.node}`, error)
  }
}

/** True for a failure that no record is to blame for: of its state, or because a schema could not be had. */
export function isNoRecordsFault(error: unknown): boolean {
  return isStateFailure(error) || isRegistryFault(error)
}

/** Nothing that was processed on a database that cannot be read is to be committed. */
function isStateFailure(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && code.startsWith('rocksdb:')
}
