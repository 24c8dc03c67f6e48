import { Sampling } from '../../observe/sampling.ts'
import type { SlowTime } from '../../process/record-watch.ts'
import type { TaskInput } from '../task-input.ts'
import type { AsyncCall } from './async-call.ts'
import { AsyncCalls } from './async-calls.ts'
import { InFlightRecord } from './in-flight-record.ts'
import type { RunningAhead } from './running-ahead.ts'
import { NEGATIVE_TIMESTAMP, type TaskRecords, type TaskRecordsOptions } from './task-records.ts'

/** So many records may be taken for each promise that may be under way: those behind a slow one, and those that wait for one of their key. */
const RECORDS_PER_PROMISE = 8

const FAILED = new Error('another promise of its record was rejected')
const GONE = new Error('the task is closed, or gives its records back')

export interface AsyncRecordsOptions extends TaskRecordsOptions {
  readonly ahead: RunningAhead
  /** The largest of the task's async processors, promises at once. */
  readonly concurrency: number
  /** How long a promise may take, ms. */
  readonly timeoutMs: number
  /** Of the keys and values of records that are taken, after which no more are. */
  readonly bytesMax: number
  /** A promise has settled: there is something to process. Runs at any moment. */
  readonly onProgress: () => void
}

/**
 * Records that go ahead as far as async processors, and wait there for promises, several at once. In their turns, one after the other, they do all
 * that they change: to whoever looks from outside, state and outputs are those of processing one record after the other. So whatever is in flight can
 * be dropped at any moment, and a commit is at the first record that is not done with. Used by the task's thread.
 */
export class AsyncRecords implements TaskRecords {
  processed = 0
  readonly #options: AsyncRecordsOptions
  readonly #calls: AsyncCalls
  readonly #recordsMax: number
  /** In order; the first one's turn is next. */
  #records: InFlightRecord[] = []
  #bytes = 0
  #sequence = 0
  /** Of the records that were taken, ms. */
  #streamTimeMs = -1
  /** Their attempts have failed, and promises of theirs are under way. */
  #failing: InFlightRecord[] = []
  readonly #backingOff = new Set<InFlightRecord>()
  readonly #sampling = new Sampling()
  /** The record whose turn comes next is timed. */
  #samples = false

  constructor(options: AsyncRecordsOptions) {
    const { clock, scans, timeoutMs, concurrency } = options
    this.#options = options
    this.#recordsMax = concurrency * RECORDS_PER_PROMISE
    this.#calls = new AsyncCalls({
      clock,
      scans,
      timeoutMs,
      settled: (call) => this.#settled(call),
      slow: ({ of, node }, durationMs) => this.#slow(of, { node: node.name, durationMs }),
    })
  }

  get inFlight(): number {
    return this.#records.length
  }

  /** True when the next record waits for nothing but its promises. */
  get isUnderWay(): boolean {
    return this.#records.length > 0 && !this.#records[0]!.isBackingOff
  }

  get retryMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { retryMs } of this.#backingOff) first = Math.min(first, retryMs)
    return first
  }

  get deadlineMs(): number {
    return this.#calls.deadlineMs
  }

  process(recordsMax: number): number {
    return this.#process(recordsMax, true)
  }

  /** The same, of records that were taken already. */
  complete(recordsMax: number): number {
    return this.#process(recordsMax, false)
  }

  #process(recordsMax: number, takes: boolean): number {
    const { output, rows, clock } = this.#options
    const before = this.processed
    if (this.#sampling.isDue(before, clock.systemTimeMs)) this.#samples = true
    this.#calls.expire()
    this.#endFailedAttempts()
    this.#beginAnew()
    while (this.processed - before < recordsMax && !output.isFull && rows?.isFull !== true) {
      const first = this.#records[0]
      if (first?.isSettled === true) this.#turn(first)
      else if (!takes || !this.#take()) break
      this.#calls.begin()
    }
    this.#calls.begin()
    return this.processed - before
  }

  /** Nobody waits for what is in flight any more. */
  drop(): void {
    this.#calls.drop(GONE)
    for (const { trace } of this.#records) trace?.end()
    this.#records = []
    this.#bytes = 0
    this.#streamTimeMs = -1
    this.#failing = []
    this.#backingOff.clear()
  }

  /** Takes the next record from its input. @returns false when there is none, or no room for it */
  #take(): boolean {
    const { inputs, trim, need } = this.#options
    if (this.#records.length >= this.#recordsMax) return false
    if (this.#bytes >= this.#options.bytesMax) return false
    for (const { input } of inputs) input.advance()
    const isFirst = this.#records.length === 0
    let one: TaskInput | null
    let timestamp = 0
    try {
      one = this.#next()
      if (one === null) return false
      // Somebody is asked about it in its turn.
      if (!one.isReadable && !isFirst) return false
      if (!one.readHead()) {
        need.changed()
        this.processed++
        if (one.pass()) trim()
        return true
      }
      timestamp = one.headTimestamp
    } catch (error) {
      // Those before it are done with first.
      if (!isFirst) return false
      throw error
    }
    const record = this.#newRecord(one, timestamp)
    this.#records.push(record)
    this.#bytes += record.bytes
    one.input.hold()
    if (timestamp > one.input.partitionTimeMs) one.input.partitionTimeMs = timestamp
    this.#streamTimeMs = record.streamTimeMs
    const isLast = one.pass()
    this.#runAhead(record, [])
    if (isLast) trim()
    return true
  }

  /** Whose head is next: one that cannot be read, else that with the smallest timestamp. */
  #next(): TaskInput | null {
    const { inputs, partitions } = this.#options
    if (inputs.length === 1) return inputs[0]!.hasRecord ? inputs[0]! : null
    for (const one of inputs) if (one.hasRecord && !one.isReadable) return one
    return partitions.choose()
  }

  /** REQUIRES that the head of `one` was not passed yet. */
  #newRecord(one: TaskInput, timestamp: number): InFlightRecord {
    const { clock, tracer } = this.#options
    const { topic, partition, current, cursor } = one.input
    const raw = one.raw()
    const offset = current!.offset[cursor]!
    return new InFlightRecord(one, clock, {
      sequence: this.#sequence++,
      offset,
      timestamp,
      streamTimeMs: Math.max(this.#streamTimeMs, clock.streamTimeMs, timestamp),
      raw,
      trace: tracer?.begin(topic, partition, offset, raw.headers) ?? null,
    })
  }

  /** @param instead of these calls, which the record made in an attempt before */
  #runAhead(record: InFlightRecord, instead: readonly AsyncCall[]): void {
    const { clock, ahead, counters } = this.#options
    const { streamTimeMs } = clock
    record.enter()
    clock.beginWatch()
    clock.streamTimeMs = record.streamTimeMs
    ahead.at = record
    if (record.timestamp < 0) record.addStep(() => counters.recordDropped(NEGATIVE_TIMESTAMP))
    else record.within(() => this.#runThroughNodesAbove(record))
    ahead.at = null
    if (clock.hasTicked) this.#look(record)
    clock.streamTimeMs = streamTimeMs
    record.waiting = record.calls.length
    this.#calls.add(record, instead)
  }

  #runThroughNodesAbove(record: InFlightRecord): void {
    try {
      const kept = record.kept()
      for (const child of record.one.source.children) child.process(kept)
    } catch (error) {
      this.#options.ahead.thrown(error)
    }
  }

  /** The turn of the first record: then it is done with, or tried again. */
  #turn(record: InFlightRecord): void {
    const { clock, output, failures, scans, punctuations } = this.#options
    const outputs = output.records
    record.enter()
    clock.beginWatch()
    clock.streamTimeMs = record.streamTimeMs
    failures.atWork = record
    this.#sample(record)
    try {
      record.within(() => record.doSteps())
    } catch (error) {
      if (failures.isRetried(record, outputs, error)) {
        clock.isSampled = false
        scans?.close()
        if (clock.hasTicked) this.#look(record)
        this.#backingOff.add(record)
        return
      }
    }
    clock.isSampled = false
    scans?.close()
    if (clock.hasTicked) this.#look(record)
    this.#done(record)
    if (clock.streamTimeMs >= punctuations.streamTime.nextMs) punctuations.punctuateStreamTime()
  }

  /** Of the nodes above async processors nothing is timed: they have seen the record long since. */
  #sample({ timestamp, one }: InFlightRecord): void {
    const { clock, counters } = this.#options
    one.source.counters.records++
    if (!this.#samples) return
    this.#samples = false
    clock.isSampled = true
    counters.lateness.observe(Math.max(0, clock.streamTimeMs - timestamp) / 1000)
  }

  /** Time has passed at a record, without what its promises took. */
  #look(record: InFlightRecord): void {
    const { clock } = this.#options
    const time = clock.endWatch()
    if (time !== null) this.#slow(record, time)
  }

  #slow(record: InFlightRecord, time: SlowTime): void {
    const { topic, partition } = record.one.input
    this.#options.slow({ ...time, topic, partition, offset: record.offset, key: record.raw().key })
  }

  #done(record: InFlightRecord): void {
    const { failures, need } = this.#options
    failures.atWork = null
    need.changed()
    this.processed++
    this.#records.shift()
    this.#bytes -= record.bytes
    record.one.input.release()
    record.trace?.end()
    this.#calls.remove(record.calls)
  }

  #settled(call: AsyncCall): void {
    const { of, outcome } = call
    const { failures, onProgress } = this.#options
    if (outcome!.isRejected && of.failing === null && failures.isRetriable(of, outcome!.error)) {
      of.failing = call
      this.#failing.push(of)
    }
    onProgress()
  }

  /** Attempts that have failed end when none of their promises is under way: those of one key never overlap. */
  #endFailedAttempts(): void {
    if (this.#failing.length === 0) return
    this.#failing = this.#failing.filter((record) => {
      for (const call of record.calls)
        if (call.state === 'waiting' || call.state === 'ready') call.drop(FAILED)
      if (record.running > 0) return true
      const { clock, failures } = this.#options
      const { node, outcome } = record.failing!
      record.enter()
      clock.node = node.name
      failures.retryLater(record, (outcome as { readonly error: unknown }).error)
      this.#backingOff.add(record)
      return false
    })
  }

  #beginAnew(): void {
    if (this.#backingOff.size === 0) return
    const now = this.#options.clock.systemTimeMs()
    for (const record of this.#backingOff) {
      if (record.retryMs > now) continue
      this.#backingOff.delete(record)
      const { calls } = record
      record.beginAnew()
      this.#runAhead(record, calls)
    }
  }
}
