import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { type ExitResult, WeirProcess } from '../support/weir-process.ts'
import { type Incident, lostAssignments } from './incidents.ts'
import { SESSION_TIMEOUT_MS } from './plan.ts'

/** What workers run. */
export const TRACKED_MODULE = 'test/support/topologies/tracked.ts'
const STOP_TIMEOUT_MS = 45_000
/** A worker that ends by itself again and again is broken; one that is started for ever hides it. */
const UNEXPECTED_ENDS_MAX = 10

/** Where the workers of a schedule run, and what. */
export interface WorkersPlace {
  /** Of the cluster's doors the first that is theirs: schedules that run at once have doors of their own. Default 0. */
  readonly firstDoor?: number
  /** The folder of their sources. Default: this repository. */
  readonly sources?: string
}

export interface WorkerOptions {
  readonly index: number
  readonly place: WorkersPlace
  readonly applicationId: string
  readonly bootstrapServers: string
  readonly stateDir: string
  readonly env: Readonly<Record<string, string>>
  /** Takes what its processes print. */
  readonly logDir: string
  readonly incidents: Incident[]
  /** What a worker may end with, to be started again. */
  readonly mayEndWith: RegExp | null
  /** Something happened that must not. */
  readonly onProblem: (problem: string) => void
}

/** One worker through all its lives: its processes come one after the other, with the same state folder. */
export class Worker implements AsyncDisposable {
  readonly index: number
  readonly #options: WorkerOptions
  #process: WeirProcess | null = null
  #starting: Promise<void> | null = null
  #stopping: Promise<void> | null = null
  #life = 0
  #unexpectedEnds = 0
  /** Whoever ends the process says so before. */
  #endIsExpected = false
  /** A kill can come while it is being stopped. */
  #wasKilled = false
  #isClosed = false

  constructor(options: WorkerOptions) {
    this.#options = options
    this.index = options.index
  }

  get isRunning(): boolean {
    return this.#process !== null
  }

  /** The last process; null before the first. */
  get output(): string {
    return this.#process?.output ?? ''
  }

  /** Of the process that runs, or ran last. */
  get life(): string {
    return `w${this.index}.${this.#life}`
  }

  /** Starts a process, if none runs. */
  start(): Promise<void> {
    if (this.#process === null && !this.#isClosed) {
      this.#starting ??= this.#start().finally(() => {
        this.#starting = null
      })
    }
    return this.#starting ?? Promise.resolve()
  }

  async #start(): Promise<void> {
    const { applicationId, bootstrapServers, stateDir, env, place } = this.#options
    this.#life++
    this.#endIsExpected = false
    this.#wasKilled = false
    const started = await WeirProcess.start({
      sources: place.sources,
      module: TRACKED_MODULE,
      applicationId,
      bootstrapServers,
      stateDir,
      env: { ...env, FAULTS_LIFE: this.life },
    })
    this.#process = started
    void started.exited.then((result) => this.#ended(started, result))
  }

  async kill9({ deleteState = false } = {}): Promise<void> {
    const running = this.#process
    if (running !== null) {
      this.#note('worker-kill')
      this.#endIsExpected = true
      this.#wasKilled = true
      await running.kill9()
    }
    if (deleteState)
      rmSync(join(this.#options.stateDir, this.#options.applicationId), { recursive: true, force: true })
  }

  /** SIGTERM. It has to end by itself, with exit code 0, unless it has hardly begun to run or is killed before it has ended. */
  stop(): Promise<void> {
    // A second signal would end it at once.
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null
    })
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const running = this.#process
    if (running === null) return
    this.#note('worker-stop')
    this.#endIsExpected = true
    try {
      await running.stop(STOP_TIMEOUT_MS)
    } catch (error) {
      const { mayEndWith } = this.#options
      const hasBegun = running.output !== ''
      if (!this.#wasKilled && hasBegun && mayEndWith?.test(running.output) !== true)
        this.#options.onProblem(`${this.life} did not stop cleanly: ${firstLine(error)}`)
    }
  }

  /** Stands still for so long. */
  async pause(forMs: number): Promise<void> {
    const running = this.#process
    if (running === null) return
    const incident = this.#note('worker-pause')
    running.pause()
    await sleep(forMs)
    running.resume()
    incident.toMs = Date.now()
  }

  /** What ends before it is ready is started again: whether it may end is judged where it ends. */
  async ready(timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs
    while (true) {
      const starting = this.#process
      try {
        await starting?.ready(deadlineMs - performance.now())
        return
      } catch (error) {
        const hasEnded = this.#process !== starting
        if (!hasEnded || this.#isClosed || this.#unexpectedEnds > UNEXPECTED_ENDS_MAX) throw error
        while (this.#process === null && performance.now() < deadlineMs) await sleep(100)
        if (this.#process === null) throw error
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await this.#starting
    await this.kill9()
  }

  #note(kind: Incident['kind']): Incident {
    const now = Date.now()
    const incident: Incident = { kind, worker: this.index, life: this.life, fromMs: now, toMs: now }
    this.#options.incidents.push(incident)
    return incident
  }

  async #ended(ended: WeirProcess, { code, signal, stderr }: ExitResult): Promise<void> {
    const { logDir, mayEndWith, onProblem } = this.#options
    writeFileSync(join(logDir, `${this.life}.log`), ended.output)
    for (const atMs of lostAssignments(ended.output)) {
      const { index: worker, life } = this
      const fromMs = atMs - SESSION_TIMEOUT_MS
      this.#options.incidents.push({ kind: 'assignment-lost', worker, life, fromMs, toMs: atMs })
    }
    this.#process = null
    if (this.#endIsExpected) return
    this.#note('worker-kill')
    const last =
      stderr
        .trimEnd()
        .split('\n')
        .findLast((line) => line.startsWith('weir: ')) ?? '(nothing said)'
    if (mayEndWith?.test(last) !== true)
      onProblem(`${this.life} ended with ${signal ?? `exit code ${code}`}: ${last}`)
    if (++this.#unexpectedEnds > UNEXPECTED_ENDS_MAX) return
    // As what runs it in production would.
    await sleep(500)
    await this.start()
  }
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0]!
}
