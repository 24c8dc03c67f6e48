import type { KeyValueStore, Processor, ProcessorContext, StreamRecord } from '../../src/index.ts'
import { type TimedKey, timeRange } from '../support/timed-key.ts'
import type { DelayedAircraftChange, FlightWithPlane } from './records.ts'
import { delayMinutesMin, delaysMin, windowMsOf } from './rules.ts'

/** What is known of an aircraft between its flights. */
export interface AircraftState {
  /** The aircraft's own time: that of its latest flight so far, ms since 1970. */
  readonly nowMs: number
  readonly isMember: boolean
}

type Context = ProcessorContext<string, DelayedAircraftChange>

/**
 * The segment of aircraft that were late several times within a window, and each aircraft has a window of its
 * own (rules.ts).
 *
 * An aircraft's delays are rows of the store `delays` under its tail number and their time
 * (support/timed-key.ts), so the delays of any window are one short range of rows. Time is the aircraft's own
 * and never goes back: a flight that comes late in the stream counts while its time is within the window.
 * What lies before the window can therefore never count again, and is deleted.
 */
export class DelayedAircraft
  implements Processor<string | null, FlightWithPlane, string, DelayedAircraftChange>
{
  #delays!: KeyValueStore<TimedKey, number>
  #aircraft!: KeyValueStore<string, AircraftState>

  init(context: Context): void {
    this.#delays = context.stateStore('delays')
    this.#aircraft = context.stateStore('aircraft')
  }

  process(record: StreamRecord<string | null, FlightWithPlane>, context: Context): void {
    const { key: tailNumber, value: flight, timestamp, headers } = record
    if (tailNumber === null) return
    const before = this.#aircraft.get(tailNumber)
    const nowMs = Math.max(flight.scheduledAtMs, before?.nowMs ?? 0)
    const delay = flight.departureDelayMinutes ?? 0
    if (delay >= delayMinutesMin) {
      this.#delays.put({ owner: tailNumber, timeMs: flight.scheduledAtMs, id: flight.id }, delay)
    }
    const windowMs = windowMsOf(flight.plane)
    const delays = this.#countWithin(tailNumber, nowMs, windowMs)
    const isMember = delays >= delaysMin
    if (before === null || before.nowMs !== nowMs || before.isMember !== isMember) {
      this.#aircraft.put(tailNumber, { nowMs, isMember })
    }
    if (isMember !== (before?.isMember ?? false)) {
      const change = isMember ? 'entered' : 'left'
      context.forward({
        key: tailNumber,
        value: { tailNumber, change, atMs: nowMs, delays, windowMs },
        timestamp,
        headers,
      })
    }
  }

  /**
   * The window is open at its beginning: a delay that is exactly as old as the window is long has left it.
   */
  #countWithin(tailNumber: string, nowMs: number, windowMs: number): number {
    let count = 0
    const past: TimedKey[] = []
    {
      using rows = this.#delays.range(...timeRange(tailNumber, 0, nowMs))
      for (const { key } of rows) {
        if (key.timeMs > nowMs - windowMs) count++
        else past.push(key)
      }
    }
    for (const key of past) this.#delays.delete(key)
    return count
  }
}
