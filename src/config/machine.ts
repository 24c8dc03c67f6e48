import { accessSync, constants } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'

/** What defaults depend on besides other settings. */
export interface Machine {
  /** Cores this process may use. */
  readonly cores: number
  /** The control group's memory limit in bytes; null when there is none. */
  readonly memoryLimitBytes: number | null
  readonly memoryBytes: number
  readonly workingDirectory: string
  readonly stdoutIsTerminal: boolean
  /** NODE_ENV is `production`. */
  readonly isProduction: boolean
  isWritableDirectory(path: string): boolean
}

export function describeMachine(): Machine {
  const memoryBytes = totalmem()
  const limit = process.constrainedMemory()
  return {
    cores: availableParallelism(),
    // Without a limit the kernel's answer is 0 or a number near 2^64.
    memoryLimitBytes: limit > 0 && limit < memoryBytes ? limit : null,
    memoryBytes,
    workingDirectory: process.cwd(),
    stdoutIsTerminal: process.stdout.isTTY === true,
    isProduction: process.env.NODE_ENV === 'production',
    isWritableDirectory(path) {
      try {
        accessSync(path, constants.W_OK)
        return true
      } catch {
        return false
      }
    },
  }
}
