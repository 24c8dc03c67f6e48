import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What a process has used since it began; every thread counted. */
export interface ProcessUsage {
  cpuSeconds: number
  peakRssBytes: number
  /** Bytes it has caused to be written to storage. */
  diskBytesWritten: number
}

const sampleIntervalMs = 20
const clockTicksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Reads /proc. Null when the process has ended. */
export function readProcessUsage(pid: number): ProcessUsage | null {
  try {
    // The command's name, in parentheses, may hold blanks: the numbers begin after it, with field 3.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[14 - 3]) + Number(fields[15 - 3])
    const peakKibibytes = numberAfter('VmHWM:', readFileSync(`/proc/${pid}/status`, 'utf8'))
    const diskBytesWritten = numberAfter('write_bytes:', readFileSync(`/proc/${pid}/io`, 'utf8'))
    return { cpuSeconds: ticks / clockTicksPerSecond, peakRssBytes: peakKibibytes * 1024, diskBytesWritten }
  } catch {
    return null
  }
}

function numberAfter(label: string, text: string): number {
  const match = new RegExp(`^${label}\\s+(\\d+)`, 'm').exec(text)
  if (!match) throw new Error(`no ${label} in what /proc tells`)
  return Number(match[1])
}

/**
 * Follows a process until it ends, since what it used cannot be asked afterwards. `latest` is then at most 20 ms old.
 */
export class ProcessSampler implements Disposable {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  #latest: ProcessUsage

  constructor(pid: number) {
    const usage = readProcessUsage(pid)
    if (usage === null) throw new Error(`process ${pid} has ended`)
    this.#pid = pid
    this.#latest = usage
    this.#timer = setInterval(() => this.sample(), sampleIntervalMs)
  }

  get latest(): ProcessUsage {
    return this.#latest
  }

  sample(): ProcessUsage {
    const usage = readProcessUsage(this.#pid)
    // A process that has ended but was not waited for still has a stat line, yet no memory: readProcessUsage gives null.
    if (usage !== null) this.#latest = usage
    return this.#latest
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
