/**
 * Computes the example's results straight from the CSV files, without Weir and without the code that loaded
 * the topics, and compares them with what is in the output topics:
 *
 *   scripts/node examples/flights/verify.ts <bootstrap servers>
 *
 * Everything has to be equal, numbers to the last bit.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'

import { lastValues, readToEnd } from '../support/kafka.ts'
import {
  delayMinutesMin,
  delaysMin,
  lastClosedDayMs,
  sessionGapMs,
  weatherAfterMs,
  weatherBeforeMs,
  windowMsOf,
} from './rules.ts'

type Row = Readonly<Record<string, string>>

function readCsv(file: string): Row[] {
  const [header, ...lines] = gunzipSync(readFileSync(new URL(`data/${file}`, import.meta.url)))
    .toString()
    .trimEnd()
    .split('\n')
  const columns = header!.split(',')
  return lines.map((line) => {
    const fields = line.split(',')
    if (fields.length !== columns.length) throw new Error(`${file}: ${line}`)
    return Object.fromEntries(columns.map((column, index) => [column, fields[index]!]))
  })
}

const maybe = (field: string): number | null => (field === 'NA' ? null : Number(field))
const flightId = (row: Row): string =>
  `${row.year}-${row.month!.padStart(2, '0')}-${row.day!.padStart(2, '0')}/${row.carrier}${row.flight}/${row.origin}`
const scheduledAtMs = (row: Row): number => Date.parse(row.time_hour!) + 60_000 * Number(row.minute)

export interface Results {
  /** By flight. */
  readonly flightsWithPlanes: ReadonlyMap<string, unknown>
  /** By carrier. */
  readonly carrierDelays: ReadonlyMap<string, unknown>
  /** By tail number: every change, in order. */
  readonly delayedAircraft: ReadonlyMap<string, readonly unknown[]>
  /** By flight and hour. */
  readonly flightsWithWeather: ReadonlyMap<string, unknown>
  /** By aircraft and day: everything that was told, which is one result. */
  readonly aircraftDays: ReadonlyMap<string, readonly unknown[]>
  /** By aircraft and begin. */
  readonly aircraftSessions: ReadonlyMap<string, unknown>
  /** By aircraft. */
  readonly fleet: ReadonlyMap<string, unknown>
}

function planesOfFlights(flights: readonly Row[], planes: readonly Row[]): Map<string, unknown> {
  const byTailNumber = new Map(planes.map((row) => [row.tailnum!, row]))
  return new Map(
    flights.map((row) => {
      const plane = byTailNumber.get(row.tailnum!)
      return [
        flightId(row),
        {
          id: flightId(row),
          carrier: row.carrier,
          tailNumber: row.tailnum === 'NA' ? null : row.tailnum,
          origin: row.origin,
          destination: row.dest,
          scheduledAtMs: scheduledAtMs(row),
          departureDelayMinutes: maybe(row.dep_delay!),
          plane:
            plane === undefined
              ? null
              : {
                  tailNumber: plane.tailnum,
                  yearBuilt: maybe(plane.year!),
                  manufacturer: plane.manufacturer,
                  model: plane.model,
                  seats: Number(plane.seats),
                },
        },
      ]
    }),
  )
}

function delaysOfCarriers(flights: readonly Row[]): Map<string, unknown> {
  const results = new Map<string, unknown>()
  for (const [carrier, rows] of Map.groupBy(flights, (row) => row.carrier!)) {
    const delays = rows.map((row) => maybe(row.dep_delay!)).filter((delay) => delay !== null)
    const total = delays.reduce((sum, delay) => sum + delay, 0)
    results.set(carrier, {
      flights: rows.length,
      cancelled: rows.length - delays.length,
      departed: delays.length,
      totalDelayMinutes: total,
      meanDelayMinutes: delays.length === 0 ? null : total / delays.length,
      maxDelayMinutes: delays.length === 0 ? null : delays.reduce((most, delay) => Math.max(most, delay)),
    })
  }
  return results
}

/** An aircraft's time is that of its latest flight so far; its flights come in the order of the file. */
function changesOfAircraft(flights: readonly Row[], planes: readonly Row[]): Map<string, unknown[]> {
  const byTailNumber = new Map(planes.map((row) => [row.tailnum!, row]))
  const results = new Map<string, unknown[]>()
  for (const [tailNumber, rows] of Map.groupBy(flights, (row) => row.tailnum!)) {
    if (tailNumber === 'NA') continue
    const plane = byTailNumber.get(tailNumber)
    const windowMs = windowMsOf(plane === undefined ? null : { yearBuilt: maybe(plane.year!) })
    const delayedAtMs: number[] = []
    const changes: unknown[] = []
    let nowMs = Number.NEGATIVE_INFINITY
    let isMember = false
    for (const row of rows) {
      nowMs = Math.max(nowMs, scheduledAtMs(row))
      if (row.dep_delay !== 'NA' && Number(row.dep_delay) >= delayMinutesMin)
        delayedAtMs.push(scheduledAtMs(row))
      const delays = delayedAtMs.filter((atMs) => atMs > nowMs - windowMs).length
      if (delays >= delaysMin !== isMember) {
        isMember = !isMember
        changes.push({ tailNumber, change: isMember ? 'entered' : 'left', atMs: nowMs, delays, windowMs })
      }
    }
    if (changes.length > 0) results.set(tailNumber, changes)
  }
  return results
}

function weatherOfFlights(flights: readonly Row[], weather: readonly Row[]): Map<string, unknown> {
  const byOrigin = Map.groupBy(weather, (row) => row.origin!)
  const results = new Map<string, unknown>()
  for (const flight of flights) {
    const atMs = scheduledAtMs(flight)
    for (const hour of byOrigin.get(flight.origin!) ?? []) {
      const hourMs = Date.parse(hour.time_hour!)
      if (hourMs < atMs - weatherBeforeMs || hourMs > atMs + weatherAfterMs) continue
      results.set(`${flightId(flight)}@${hourMs}`, {
        flight: flightId(flight),
        origin: flight.origin,
        scheduledAtMs: atMs,
        departureDelayMinutes: maybe(flight.dep_delay!),
        weather: {
          origin: hour.origin,
          hourMs,
          temperatureFahrenheit: maybe(hour.temp!),
          windSpeedMph: maybe(hour.wind_speed!),
          precipitationInches: maybe(hour.precip!),
          visibilityMiles: maybe(hour.visib!),
        },
      })
    }
  }
  return results
}

const flown = (flights: readonly Row[]): Map<string, Row[]> =>
  Map.groupBy(
    flights.filter((row) => row.tailnum !== 'NA'),
    (row) => row.tailnum!,
  )

function totals(rows: readonly Row[]): { flights: number; cancelled: number; delayMinutes: number } {
  const delays = rows.map((row) => maybe(row.dep_delay!)).filter((delay) => delay !== null)
  return {
    flights: rows.length,
    cancelled: rows.length - delays.length,
    delayMinutes: delays.reduce((sum, delay) => sum + delay, 0),
  }
}

function daysOfAircraft(flights: readonly Row[]): Map<string, unknown[]> {
  const results = new Map<string, unknown[]>()
  const isoDay = (row: Row): string => new Date(scheduledAtMs(row)).toISOString().slice(0, 10)
  for (const [tailNumber, rows] of flown(flights)) {
    for (const [day, ofDay] of Map.groupBy(rows, isoDay)) {
      const dayMs = Date.parse(day)
      if (dayMs <= lastClosedDayMs)
        results.set(`${tailNumber}@${day}`, [{ tailNumber, dayMs, ...totals(ofDay) }])
    }
  }
  return results
}

function sessionsOfAircraft(flights: readonly Row[]): Map<string, unknown> {
  const results = new Map<string, unknown>()
  for (const [tailNumber, rows] of flown(flights)) {
    const times = rows.map(scheduledAtMs).sort((a, b) => a - b)
    let first = 0
    times.forEach((time, index) => {
      if (index < times.length - 1 && times[index + 1]! - time <= sessionGapMs) return
      const startMs = times[first]!
      results.set(`${tailNumber}@${new Date(startMs).toISOString()}`, {
        tailNumber,
        startMs,
        endMs: time,
        flights: index + 1 - first,
      })
      first = index + 1
    })
  }
  return results
}

function fleetOf(flights: readonly Row[], planes: readonly Row[]): Map<string, unknown> {
  const byAircraft = flown(flights)
  return new Map(
    planes
      .filter((plane) => byAircraft.has(plane.tailnum!))
      .map((plane) => [
        plane.tailnum!,
        {
          tailNumber: plane.tailnum,
          yearBuilt: maybe(plane.year!),
          manufacturer: plane.manufacturer,
          model: plane.model,
          seats: Number(plane.seats),
          ...totals(byAircraft.get(plane.tailnum!)!),
        },
      ]),
  )
}

export function expectedResults(): Results {
  const flights = readCsv('flights-2013-01.csv.gz')
  const planes = readCsv('planes.csv.gz')
  const weather = readCsv('weather-2013-01.csv.gz')
  return {
    flightsWithPlanes: planesOfFlights(flights, planes),
    carrierDelays: delaysOfCarriers(flights),
    delayedAircraft: changesOfAircraft(flights, planes),
    flightsWithWeather: weatherOfFlights(flights, weather),
    aircraftDays: daysOfAircraft(flights),
    aircraftSessions: sessionsOfAircraft(flights),
    fleet: fleetOf(flights, planes),
  }
}

async function finalValues(bootstrapServers: string, topic: string): Promise<Map<string, unknown>> {
  const values = lastValues(await readToEnd(bootstrapServers, topic))
  return new Map([...values].map(([key, value]) => [key, JSON.parse(value)]))
}

async function allValues(bootstrapServers: string, topic: string): Promise<Map<string, unknown[]>> {
  const values = new Map<string, unknown[]>()
  for (const { key, value } of await readToEnd(bootstrapServers, topic)) {
    const name = key!.toString()
    values.set(name, [...(values.get(name) ?? []), JSON.parse(value!.toString())])
  }
  return values
}

export async function actualResults(bootstrapServers: string): Promise<Results> {
  return {
    flightsWithPlanes: await finalValues(bootstrapServers, 'flights-with-planes'),
    carrierDelays: await finalValues(bootstrapServers, 'carrier-delays'),
    delayedAircraft: await allValues(bootstrapServers, 'delayed-aircraft'),
    flightsWithWeather: await finalValues(bootstrapServers, 'flights-with-weather'),
    aircraftDays: await allValues(bootstrapServers, 'aircraft-days'),
    aircraftSessions: await finalValues(bootstrapServers, 'aircraft-sessions'),
    fleet: await finalValues(bootstrapServers, 'fleet'),
  }
}

/** What differs: one line for each key, nothing when all is equal. */
export function differences(actual: Results, expected: Results): string[] {
  const lines: string[] = []
  for (const name of Object.keys(expected) as (keyof Results)[]) {
    const keys = new Set<string>([...actual[name].keys(), ...expected[name].keys()])
    for (const key of keys) {
      const [is, should] = [actual[name].get(key), expected[name].get(key)]
      if (!isDeepStrictEqual(is, should)) {
        lines.push(`${name} ${key}: ${JSON.stringify(is)}, expected ${JSON.stringify(should)}`)
      }
    }
  }
  return lines
}

if (import.meta.main) {
  const expected = expectedResults()
  const lines = differences(await actualResults(process.argv[2] ?? '127.0.0.1:9092'), expected)
  for (const line of lines.slice(0, 20)) console.log(line)
  const sizes = Object.entries(expected).map(([name, results]) => `${name} ${results.size}`)
  console.log(lines.length === 0 ? `equal: ${sizes.join(', ')}` : `${lines.length} differences`)
  process.exitCode = lines.length === 0 ? 0 : 1
}
