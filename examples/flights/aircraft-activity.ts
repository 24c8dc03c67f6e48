/** What aircraft do: by day, in sessions of work, and in all, beside what is known of the aircraft. */
import type { Stream, Table } from '../../src/index.ts'
import { BufferConfig, SessionWindows, Suppressed, serdes, TimeWindows } from '../../src/index.ts'
import type { AircraftDay, AircraftSession, AircraftTotals, Flight, Plane } from './records.ts'
import { activityGraceMs, dayMs, sessionGapMs } from './rules.ts'

const nothing: AircraftTotals = { flights: 0, cancelled: 0, delayMinutes: 0 }

function addFlight(totals: AircraftTotals, { departureDelayMinutes: delay }: Flight): AircraftTotals {
  return {
    flights: totals.flights + 1,
    cancelled: totals.cancelled + (delay === null ? 1 : 0),
    delayMinutes: totals.delayMinutes + (delay ?? 0),
  }
}

/** Adds the outputs. Both are by tail number, in the same partitions: nothing is repartitioned. */
export function addAircraftActivity(flights: Stream<string, Flight>, planes: Table<string, Plane>): void {
  const byAircraft = flights.groupByKey()

  // By day, UTC: a window for each, told once, when no flight of that day can come any more.
  byAircraft
    .windowedBy(TimeWindows.of({ sizeMs: dayMs, graceMs: activityGraceMs }))
    .aggregate({
      initializer: () => nothing,
      aggregator: addFlight,
      value: serdes.json<AircraftTotals>(),
      store: 'aircraft-days',
    })
    .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
    .toStream()
    .map(({ key: { key, window }, value }): { key: string; value: AircraftDay } => ({
      key: `${key}@${new Date(window.start).toISOString().slice(0, 10)}`,
      value: { tailNumber: key, dayMs: window.start, ...value },
    }))
    .to('aircraft-days', { key: serdes.string, value: serdes.json<AircraftDay>() })

  // From one rest to the next. A flight between two sessions makes one of them; the old ones are deleted.
  byAircraft
    .windowedBy(SessionWindows.of({ inactivityGapMs: sessionGapMs, graceMs: activityGraceMs }))
    .count({ store: 'aircraft-sessions' })
    .toStream()
    .map(({ key: { key, window }, value }): { key: string; value: AircraftSession | null } => ({
      key: `${key}@${new Date(window.start).toISOString()}`,
      value:
        value === null ? null : { tailNumber: key, startMs: window.start, endMs: window.end, flights: value },
    }))
    .to('aircraft-sessions', { key: serdes.string, value: serdes.json<AircraftSession | null>() })

  // A table of counts beside the table of planes: whichever changes, the joined row does.
  byAircraft
    .aggregate({
      initializer: () => nothing,
      aggregator: addFlight,
      value: serdes.json<AircraftTotals>(),
      store: 'aircraft-totals',
    })
    .join(planes, (totals, plane) => ({ ...plane, ...totals }))
    .toStream()
    .to('fleet', { value: serdes.json<(Plane & AircraftTotals) | null>() })
}
