import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export type ProcessingGuarantee = 'at_least_once' | 'exactly_once_v2'

/** One run's settings, the same for every system. */
export interface SystemOptions {
  bootstrapServers: string
  applicationId: string
  /** `input`, `output` and others, by what topology and peer know them. */
  topics: Readonly<Record<string, string>>
  records: number
  threads: number
  commitIntervalMs: number
  processingGuarantee: ProcessingGuarantee
  stateCacheBytes: number
  /** An empty folder. */
  stateDir: string
  /** Takes what the process prints, besides its events. */
  logFile: string
}

/** What is measured: Weir, or a peer in one of its set-ups. */
export interface System {
  readonly name: string
  /** Which peer this is a set-up of; `weir` for Weir. */
  readonly family: string
  /** Whether each input record gives one output record, so that the output topic shows when all is done. */
  readonly forwardsEveryUpdate: boolean
  /** What is worth knowing of its set-up, for the results. */
  describe(): Record<string, unknown>
  start(options: SystemOptions): Promise<SystemProcess>
}

export interface SystemCommand {
  name: string
  command: string
  args: string[]
  logFile: string
  env?: Record<string, string>
  /** Whether every task runs. Without it the process says so by the event `ready`. */
  isReady?: () => Promise<boolean>
  /** Whether every record has been processed. Without it the process says so by the event `processed`. */
  hasProcessed?: () => Promise<boolean>
  /** What another line of its output tells. Without it only events are told. */
  eventOf?: (line: string) => ProcessEvent | null
}

/** What a process says of itself: a name, and what else the line has. */
export interface ProcessEvent {
  event: string
}

const readyPollMs = 10
/** Seldom enough that answering costs the process nothing that shows. */
const processedPollMs = 200

/** A system's process. A line `{"event":"...", ...}` on its standard output is an event; what else it prints goes to the log. */
export class SystemProcess implements AsyncDisposable {
  readonly #command: SystemCommand
  readonly #child: ChildProcess
  readonly #events = new Map<string, ProcessEvent[]>()
  /** Resolved, and replaced, when an event comes. */
  #nextEvent = Promise.withResolvers<void>()
  /** How it ended badly, or null. */
  readonly #ended: Promise<string | null>
  #isStopping = false
  #hasEnded = false

  constructor(command: SystemCommand) {
    this.#command = command
    const log = openSync(command.logFile, 'a')
    // As the test services do: the process ends when the bench is killed. setpriv becomes the process itself.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command.command, ...command.args], {
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, ...command.env },
    })
    closeSync(log)
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message))
      this.#child.once('exit', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)))
    })
    void this.#ended.then(() => {
      this.#hasEnded = true
    })
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#onLine(line))
    }
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error(`${this.#command.name} did not start`)
    return pid
  }

  /** Resolves when the process has said the event. */
  async event(name: string): Promise<void> {
    await this.events(name, 1)
  }

  /** Resolves with the first `count` events of that name when it has said so many. */
  async events<Data>(name: string, count: number): Promise<(ProcessEvent & Data)[]> {
    for (;;) {
      const said = this.#events.get(name) ?? []
      if (said.length >= count) return said.slice(0, count) as (ProcessEvent & Data)[]
      await this.#nextEvent.promise
    }
  }

  /** Resolves when every task runs, or when the process has ended: see `failure`. */
  async ready(): Promise<void> {
    return this.#until('ready', this.#command.isReady, readyPollMs)
  }

  /** Resolves when every record has been processed, or when the process has ended: see `failure`. */
  async processed(): Promise<void> {
    return this.#until('processed', this.#command.hasProcessed, processedPollMs)
  }

  /** Rejects when the process ends without having been told to, with the end of its log. Otherwise never settles. */
  async failure(): Promise<never> {
    const failure = await this.#ended
    if (this.#isStopping) return new Promise(() => {})
    throw this.#error(failure ?? 'exit code 0, unasked')
  }

  /** Tells it to commit, close and end. Throws when it ends badly. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#child.kill('SIGTERM')
    const failure = await this.#ended
    // A JVM that has run its shutdown hooks after SIGTERM ends with 128 + 15.
    if (failure !== null && failure !== 'exit code 143') throw this.#error(failure)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Asks until it is so; where nobody can be asked, the process says it by an event. */
  async #until(event: string, isSo: (() => Promise<boolean>) | undefined, pollMs: number): Promise<void> {
    if (isSo === undefined) return this.event(event)
    while (!this.#hasEnded && !(await isSo())) await sleep(pollMs)
  }

  #onLine(line: string): void {
    const said = line.startsWith('{"event":')
      ? (JSON.parse(line) as ProcessEvent)
      : (this.#command.eventOf?.(line) ?? null)
    if (said === null) {
      appendFileSync(this.#command.logFile, `${line}\n`)
      return
    }
    this.#events.set(said.event, [...(this.#events.get(said.event) ?? []), said])
    this.#nextEvent.resolve()
    this.#nextEvent = Promise.withResolvers()
  }

  #error(how: string): Error {
    const { name, logFile } = this.#command
    const logEnd = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-30).join('\n')
    return new Error(`${name} ended with ${how}; its log ends:\n${logEnd}`)
  }
}
