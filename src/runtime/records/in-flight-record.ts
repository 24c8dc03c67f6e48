import { KeptRecord, type RawRecord } from '../../consume/kept-record.ts'
import type { RecordTrace } from '../../process/record-tracer.ts'
import type { TaskClock } from '../../process/task-clock.ts'
import type { AttemptedRecord } from '../record-failures.ts'
import { RecordRetry } from '../record-retry.ts'
import type { TaskInput } from '../task-input.ts'
import type { AsyncCall } from './async-call.ts'

/** What is done in a record's turn, and at what time: the timestamp of what the node got. */
interface TurnStep {
  readonly timestamp: number
  run(): void
}

/** What a record is taken with. */
export interface InFlightPlace
  extends Pick<InFlightRecord, 'sequence' | 'offset' | 'timestamp' | 'streamTimeMs' | 'trace'> {
  readonly raw: RawRecord
}

/**
 * A record that was taken from its input and is not done with. An attempt at it goes ahead as far as async processors, waits for their promises, and
 * then does its steps in its turn; it fails as a whole.
 *
 *   ahead -> waits for its calls -> settled -> turn -> done
 *     ^               └-> failing (until the others have settled) ┐        │
 *     └──────────────────────── backs off <───────────────────────┴────────┘
 */
export class InFlightRecord implements AttemptedRecord {
  readonly one: TaskInput
  /** Its place among the task's records. */
  readonly sequence: number
  readonly offset: number
  /** Its own, or what an extractor made of it; negative ones are dropped. */
  readonly timestamp: number
  /** The task's in its turn. */
  readonly streamTimeMs: number
  readonly trace: RecordTrace | null
  readonly #clock: TaskClock
  readonly #raw: RawRecord
  readonly #record: KeptRecord | null
  readonly #unreadable: unknown = null
  #steps: TurnStep[] = []
  calls: AsyncCall[] = []
  /** Calls that have not settled. */
  waiting = 0
  /** Calls whose promises are under way. */
  running = 0
  /** Of this attempt, one that was rejected with what may pass: it ends before its turn. */
  failing: AsyncCall | null = null
  /** The attempt has ended, and another is due. */
  isBackingOff = false
  #retry: RecordRetry | null = null

  /** REQUIRES that it is the head of `one`. */
  constructor(one: TaskInput, clock: TaskClock, place: InFlightPlace) {
    const { sequence, offset, timestamp, streamTimeMs, trace, raw } = place
    this.one = one
    this.#clock = clock
    this.sequence = sequence
    this.offset = offset
    this.timestamp = timestamp
    this.streamTimeMs = streamTimeMs
    this.trace = trace
    this.#raw = raw
    let record: KeptRecord | null = null
    try {
      record = new KeptRecord(raw, one.headKey, timestamp, one.source.definition.value)
    } catch (error) {
      this.#unreadable = error
    }
    this.#record = record
  }

  /** As the source gives it. @throws DeserializationError for a key that cannot be read */
  kept(): KeptRecord {
    if (this.#record === null) throw this.#unreadable
    return this.#record
  }

  /** Of key and value. */
  get bytes(): number {
    return (this.#raw.key?.length ?? 0) + (this.#raw.value?.length ?? 0)
  }

  /** True when its turn may come. */
  get isSettled(): boolean {
    return this.waiting === 0 && !this.isBackingOff && this.failing === null
  }

  /** Runs a part of its way. */
  within(part: () => void): void {
    if (this.trace === null) part()
    else this.trace.run(part)
  }

  /** Another attempt begins. REQUIRES that no promise of it is under way. */
  beginAnew(): void {
    this.isBackingOff = false
    this.#record?.forgetValue()
    this.#steps = []
    this.calls = []
    this.waiting = 0
  }

  addStep(run: () => void): void {
    this.#steps.push({ timestamp: this.#clock.timestamp, run })
  }

  /** Does its steps, in its turn. */
  doSteps(): void {
    for (const { timestamp, run } of this.#steps) {
      this.#clock.timestamp = timestamp
      run()
    }
  }

  /** The clock stands at it: for processors and for messages. */
  enter(): void {
    const { input, source } = this.one
    const clock = this.#clock
    clock.topic = input.topic
    clock.partition = input.partition
    clock.offset = this.offset
    clock.timestamp = this.timestamp
    clock.node = source.definition.name
  }

  get isEntered(): boolean {
    const { topic, partition, offset } = this.#clock
    const { input } = this.one
    return topic === input.topic && partition === input.partition && offset === this.offset
  }

  raw(): RawRecord {
    return this.#raw
  }

  mayRetry(timeoutMs: number): boolean {
    return this.#retry === null ? timeoutMs > 0 : this.#retry.isOpen(this.#clock.systemTimeMs())
  }

  retryLater(timeoutMs: number): number {
    const now = this.#clock.systemTimeMs()
    this.#retry ??= new RecordRetry(now, timeoutMs)
    this.#retry.failed(now)
    this.failing = null
    this.isBackingOff = true
    return this.#retry.attempts
  }

  /** When another attempt is due, ms; Infinity when it does not back off. */
  get retryMs(): number {
    return this.isBackingOff ? this.#retry!.dueMs : Number.POSITIVE_INFINITY
  }
}
