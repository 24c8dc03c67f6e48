/** Reads the data files: `NA` becomes null. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'

import { parse } from 'csv-parse'

import type { Flight, Plane, WeatherHour } from './records.ts'

type Row = Readonly<Record<string, string>>

const dataFolder = new URL('data/', import.meta.url)

async function* rowsOf(file: string): AsyncIterable<Row> {
  const text = createReadStream(new URL(file, dataFolder)).pipe(createGunzip())
  yield* text.pipe(parse({ columns: true })) as AsyncIterable<Row>
}

function field(row: Row, name: string): string {
  const value = row[name]
  if (value === undefined)
    throw new Error(`the file has no column ${name}; its columns: ${Object.keys(row).join(', ')}`)
  return value
}

function textOrNull(row: Row, name: string): string | null {
  const value = field(row, name)
  return value === 'NA' ? null : value
}

function numberOrNull(row: Row, name: string): number | null {
  const value = field(row, name)
  if (value === 'NA') return null
  const number = Number(value)
  if (value === '' || Number.isNaN(number)) throw new Error(`column ${name}: ${value} is no number`)
  return number
}

function number(row: Row, name: string): number {
  const value = numberOrNull(row, name)
  if (value === null) throw new Error(`column ${name} is NA, which it must not be`)
  return value
}

export function toFlight(row: Row): Flight {
  const day = [number(row, 'year'), number(row, 'month'), number(row, 'day')]
    .map((part) => String(part).padStart(2, '0'))
    .join('-')
  const carrier = field(row, 'carrier')
  const origin = field(row, 'origin')
  return {
    id: `${day}/${carrier}${field(row, 'flight')}/${origin}`,
    carrier,
    tailNumber: textOrNull(row, 'tailnum'),
    origin,
    destination: field(row, 'dest'),
    scheduledAtMs: Date.parse(field(row, 'time_hour')) + number(row, 'minute') * 60_000,
    departureDelayMinutes: numberOrNull(row, 'dep_delay'),
  }
}

export function toPlane(row: Row): Plane {
  return {
    tailNumber: field(row, 'tailnum'),
    yearBuilt: numberOrNull(row, 'year'),
    manufacturer: field(row, 'manufacturer'),
    model: field(row, 'model'),
    seats: number(row, 'seats'),
  }
}

export function toWeatherHour(row: Row): WeatherHour {
  return {
    origin: field(row, 'origin'),
    hourMs: Date.parse(field(row, 'time_hour')),
    temperatureFahrenheit: numberOrNull(row, 'temp'),
    windSpeedMph: numberOrNull(row, 'wind_speed'),
    precipitationInches: numberOrNull(row, 'precip'),
    visibilityMiles: numberOrNull(row, 'visib'),
  }
}

async function readAll<T>(file: string, to: (row: Row) => T): Promise<T[]> {
  const all: T[] = []
  for await (const row of rowsOf(file)) all.push(to(row))
  return all
}

export const readFlights = (): Promise<Flight[]> => readAll('flights-2013-01.csv.gz', toFlight)
export const readPlanes = (): Promise<Plane[]> => readAll('planes.csv.gz', toPlane)
export const readWeather = (): Promise<WeatherHour[]> => readAll('weather-2013-01.csv.gz', toWeatherHour)
