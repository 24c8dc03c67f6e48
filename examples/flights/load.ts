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
} as const

function* planeRecords(planes: Awaited<ReturnType<typeof readPlanes>>): Iterable<OutgoingRecord> {
  // Older than every flight: among records that are there at the same time, those of the smallest timestamp
  // are processed first.
  for (const plane of planes)
    yield { topic: 'planes', key: plane.tailNumber, value: JSON.stringify(plane), timestamp: 1 }
}

function* weatherRecords(hours: Awaited<ReturnType<typeof readWeather>>): Iterable<OutgoingRecord> {
  for (const hour of hours)
    yield { topic: 'weather', key: hour.origin, value: JSON.stringify(hour), timestamp: hour.hourMs }
}

function* flightRecords(flights: Awaited<ReturnType<typeof readFlights>>): Iterable<OutgoingRecord> {
  for (const flight of flights) {
    yield {
      topic: 'flights',
      key: flight.tailNumber,
      value: JSON.stringify(flight),
      timestamp: flight.scheduledAtMs,
    }
  }
}

/** @returns how many records of each kind were written */
export async function load(
  bootstrapServers: string,
): Promise<{ planes: number; weather: number; flights: number }> {
  await createTopics(bootstrapServers, topics)
  return {
    planes: await produceAll(bootstrapServers, planeRecords(await readPlanes())),
    weather: await produceAll(bootstrapServers, weatherRecords(await readWeather())),
    flights: await produceAll(bootstrapServers, flightRecords(await readFlights())),
  }
}

if (import.meta.main) {
  const bootstrapServers = process.argv[2] ?? '127.0.0.1:9092'
  const { planes, weather, flights } = await load(bootstrapServers)
  console.log(`${bootstrapServers}: ${planes} planes, ${weather} hours of weather, ${flights} flights`)
}
