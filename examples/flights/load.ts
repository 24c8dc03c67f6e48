/**
 * Makes the example's topics and puts the data into them:
 *
 *   scripts/node examples/flights/load.ts <bootstrap servers>
 *
 * Planes go first and are written before the first flight is: a flight is joined to what the table of planes
 * holds when the flight is processed. Flights and weather may come in any order: that join works from both
 * sides.
 */
import { createTopics, type OutgoingRecord, produceAll } from '../support/kafka.ts'
import { readFlights, readPlanes, readWeather } from './csv.ts'
import type { Flight, Plane, WeatherHour } from './records.ts'
import { airportPartitions } from './rules.ts'

/** Planes and flights have to agree, as they are joined by their key. */
export const topics = {
  planes: 4,
  flights: 4,
  weather: airportPartitions,
  'flights-with-planes': 4,
  'carrier-delays': 2,
  'delayed-aircraft': 4,
  'flights-with-weather': 2,
  'aircraft-days': 4,
  'aircraft-sessions': 4,
  fleet: 4,
} as const

/** Older than every flight: a task takes the oldest of the records that are there first. (0 would be the time of writing.) */
const planeTimestamp = 1

export async function createFlightTopics(bootstrapServers: string): Promise<void> {
  await createTopics(bootstrapServers, topics)
}

export async function loadPlanes(bootstrapServers: string): Promise<number> {
  const planes = await readPlanes()
  const toRecord = (plane: Plane): OutgoingRecord => ({
    topic: 'planes',
    key: plane.tailNumber,
    value: JSON.stringify(plane),
    timestamp: planeTimestamp,
  })
  return await produceAll(bootstrapServers, planes.map(toRecord))
}

/** @param which of the hours; default: all */
export async function loadWeather(
  bootstrapServers: string,
  which: (hour: WeatherHour) => boolean = () => true,
): Promise<number> {
  const hours = await readWeather()
  const toRecord = (hour: WeatherHour): OutgoingRecord => ({
    topic: 'weather',
    key: hour.origin,
    value: JSON.stringify(hour),
    timestamp: hour.hourMs,
  })
  return await produceAll(bootstrapServers, hours.filter(which).map(toRecord))
}

export async function loadFlights(bootstrapServers: string): Promise<number> {
  const flights = await readFlights()
  const toRecord = (flight: Flight): OutgoingRecord => ({
    topic: 'flights',
    key: flight.tailNumber,
    value: JSON.stringify(flight),
    timestamp: flight.scheduledAtMs,
  })
  return await produceAll(bootstrapServers, flights.map(toRecord))
}

if (import.meta.main) {
  const bootstrapServers = process.argv[2] ?? '127.0.0.1:9092'
  await createFlightTopics(bootstrapServers)
  const planes = await loadPlanes(bootstrapServers)
  const weather = await loadWeather(bootstrapServers)
  const flights = await loadFlights(bootstrapServers)
  console.log(`${bootstrapServers}: ${planes} planes, ${weather} hours of weather, ${flights} flights`)
}
