import type { SourceRecord } from '../../consume/source-record.ts'
import { Sampling } from '../../observe/sampling.ts'
import type { Node } from '../../process/node.ts'
import type { RecordTracer } from '../../process/record-tracer.ts'
import type { TaskInput } from '../task-input.ts'
import { NEGATIVE_TIMESTAMP, type TaskRecords, type TaskRecordsOptions } from './task-records.ts'

/**
 * One record after the other: each goes depth-first through the whole graph before the next one begins. One that fails is tried again as the head
 * of its input, or dropped.
 */
export class HeadRecords implements TaskRecords {
  processed = 0
  readonly inFlight = 0
  readonly isUnderWay = false
  readonly deadlineMs = Number.POSITIVE_INFINITY
  readonly #options: TaskRecordsOptions
  readonly #sampling = new Sampling()

  constructor(options: TaskRecordsOptions) {
    this.#options = options
  }

  get retryMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { retryMs } of this.#options.inputs) first = Math.min(first, retryMs)
    return first
  }

  complete(): number {
    return 0
  }

  drop(): void {}

  process(recordsMax: number): number {
    const { inputs, partitions, output, rows, failures, clock } = this.#options
    let processed = 0
    clock.beginWatch()
    let hasRecord = false
    for (const { input } of inputs) {
      input.advance()
      if (input.hasRecord) hasRecord = true
    }
    clock.isSampled = hasRecord && this.#sampling.isDue(this.processed, clock.systemTimeMs)
    if (inputs.length === 1) {
      const only = inputs[0]!
      while (processed < recordsMax && only.hasRecord && !output.isFull && rows?.isFull !== true) {
        if (only.readHead()) this.#processHead(only)
        else this.#pass(only)
        processed++
      }
    } else {
      while (processed < recordsMax && !output.isFull && rows?.isFull !== true) {
        const unreadable = failures.unreadable()
        if (unreadable !== null) {
          this.#pass(unreadable)
          processed++
          unreadable.input.advance()
          continue
        }
        const chosen = partitions.choose()
        if (chosen === null) break
        this.#processHead(chosen)
        processed++
        if (!chosen.input.hasRecord) chosen.input.advance()
      }
    }
    clock.isSampled = false
    return processed
  }

  #processHead(one: TaskInput): void {
    const { clock, failures, scans, punctuations, tracer, output, counters } = this.#options
    const { input, source, stores } = one
    const batch = input.current!
    const index = input.cursor
    const { children } = source
    const timestamp = one.headTimestamp
    const outputs = output.records
    failures.atWork = one
    one.enter()
    try {
      const record = one.record(timestamp)
      if (timestamp < 0) {
        counters.recordDropped(NEGATIVE_TIMESTAMP)
      } else {
        source.counters.records++
        if (timestamp > input.partitionTimeMs) input.partitionTimeMs = timestamp
        if (timestamp > clock.streamTimeMs) clock.streamTimeMs = timestamp
        clock.timestamp = timestamp
        if (clock.isSampled) counters.lateness.observe((clock.streamTimeMs - timestamp) / 1000)
        for (let store = 0; store < stores.length; store++) {
          const entry = batch.prefetches[store]?.entries[index]
          if (entry !== undefined) stores[store]!.store.cache.expect(entry)
        }
        if (tracer === null)
          for (let child = 0; child < children.length; child++) children[child]!.process(record)
        else this.#trace(tracer, record, children)
      }
    } catch (error) {
      clock.isSampled = false
      if (failures.isRetried(one, outputs, error)) {
        scans?.close()
        if (clock.hasTicked) this.#look(one)
        return
      }
    }
    clock.isSampled = false
    if (scans !== null) scans.close()
    this.#pass(one)
    if (clock.streamTimeMs >= punctuations.streamTime.nextMs) {
      punctuations.punctuateStreamTime()
      clock.beginWatch()
    }
  }

  #trace(tracer: RecordTracer, record: SourceRecord, children: readonly Node[]): void {
    const { topic, partition, offset } = this.#options.clock
    tracer.trace(topic, partition, offset, record.headers, () => {
      for (const child of children) child.process(record)
    })
  }

  /** The head record is done with. */
  #pass(one: TaskInput): void {
    const { clock, failures, need, trim } = this.#options
    if (clock.hasTicked) this.#look(one)
    failures.atWork = null
    need.changed()
    this.processed++
    if (one.pass()) {
      trim()
      clock.beginWatch()
    }
  }

  /** Time has passed at the head record. */
  #look(one: TaskInput): void {
    const { clock, slow } = this.#options
    const time = clock.endWatch()
    if (time === null) return
    const { topic, partition, current, cursor } = one.input
    slow({ ...time, topic, partition, offset: current!.offset[cursor]!, key: one.raw().key })
  }
}
