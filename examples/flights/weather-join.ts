import type { KeyValueStore, Processor, ProcessorContext, StreamRecord } from '../../src/index.ts'
import { type TimedKey, timeRange } from '../support/timed-key.ts'
import type { Flight, FlightWithWeather, WeatherHour } from './records.ts'
import { weatherAfterMs, weatherBeforeMs } from './rules.ts'

/**
 * Flights joined to the hours of weather around their departure, 1:N, from both sides. Flights and hours are
 * kept under their airport and time (support/timed-key.ts); whichever of a pair comes second finds the other
 * by a range scan. So every pair is found, and once, in whatever order the two topics are read, and no order
 * of loading has to be kept.
 */
type FlightStore = KeyValueStore<TimedKey, Flight>
type WeatherStore = KeyValueStore<TimedKey, WeatherHour>
type Context = ProcessorContext<string, FlightWithWeather>

abstract class WeatherJoin {
  protected flights!: FlightStore
  protected weather!: WeatherStore

  init(context: Context): void {
    this.flights = context.stateStore('flights-by-time')
    this.weather = context.stateStore('weather-by-time')
  }

  /** The output's key names the pair: a pair that is found again after a crash replaces itself. */
  protected forwardPair(
    flight: Flight,
    weather: WeatherHour,
    record: StreamRecord<unknown, unknown>,
    context: Context,
  ): void {
    const { id, origin, scheduledAtMs, departureDelayMinutes } = flight
    context.forward({
      key: `${id}@${weather.hourMs}`,
      value: { flight: id, origin, scheduledAtMs, departureDelayMinutes, weather },
      timestamp: Math.max(scheduledAtMs, weather.hourMs),
      headers: record.headers,
    })
  }
}

/** A flight finds its hours. */
export class FlightSide extends WeatherJoin implements Processor<string, Flight, string, FlightWithWeather> {
  process(record: StreamRecord<string, Flight>, context: Context): void {
    const flight = record.value
    const atMs = flight.scheduledAtMs
    this.flights.put({ owner: flight.origin, timeMs: atMs, id: flight.id }, flight)
    using hours = this.weather.range(
      ...timeRange(flight.origin, atMs - weatherBeforeMs, atMs + weatherAfterMs),
    )
    for (const { value: hour } of hours) this.forwardPair(flight, hour, record, context)
  }
}

/** An hour finds the flights that it belongs to. */
export class WeatherSide
  extends WeatherJoin
  implements Processor<string, WeatherHour, string, FlightWithWeather>
{
  process(record: StreamRecord<string, WeatherHour>, context: Context): void {
    const hour = record.value
    this.weather.put({ owner: hour.origin, timeMs: hour.hourMs, id: '' }, hour)
    using flights = this.flights.range(
      ...timeRange(hour.origin, hour.hourMs - weatherAfterMs, hour.hourMs + weatherBeforeMs),
    )
    for (const { value: flight } of flights) this.forwardPair(flight, hour, record, context)
  }
}
