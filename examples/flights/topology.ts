import { defineTopology, serdes, stores } from '../../src/index.ts'
import { timedKey } from '../support/timed-key.ts'
import { addAircraftActivity } from './aircraft-activity.ts'
import { type AircraftState, DelayedAircraft } from './delayed-aircraft.ts'
import type {
  CarrierDelays,
  DelayedAircraftChange,
  Flight,
  FlightWithPlane,
  FlightWithWeather,
  Plane,
  WeatherHour,
} from './records.ts'
import { airportPartitions } from './rules.ts'
import { FlightSide, WeatherSide } from './weather-join.ts'

const flight = serdes.json<Flight>()

const noDelays: CarrierDelays = {
  flights: 0,
  cancelled: 0,
  departed: 0,
  totalDelayMinutes: 0,
  meanDelayMinutes: null,
  maxDelayMinutes: null,
}

function addFlight(delays: CarrierDelays, { departureDelayMinutes: delay }: Flight): CarrierDelays {
  const flights = delays.flights + 1
  if (delay === null) return { ...delays, flights, cancelled: delays.cancelled + 1 }
  const departed = delays.departed + 1
  const totalDelayMinutes = delays.totalDelayMinutes + delay
  return {
    flights,
    cancelled: delays.cancelled,
    departed,
    totalDelayMinutes,
    meanDelayMinutes: totalDelayMinutes / departed,
    maxDelayMinutes: Math.max(delays.maxDelayMinutes ?? delay, delay),
  }
}

export default defineTopology((builder) => {
  // By tail number: flights meet their planes, and each aircraft its own delays.
  const planes = builder.table('planes', {
    key: serdes.string,
    value: serdes.json<Plane>(),
    store: 'planes',
  })
  const flights = builder.stream('flights', { key: serdes.string, value: flight })
  addAircraftActivity(flights, planes)
  const withPlanes = flights.leftJoin(planes, (one, plane): FlightWithPlane => ({ ...one, plane }))
  withPlanes
    .selectKey(({ value }) => value.id)
    .to('flights-with-planes', { key: serdes.string, value: serdes.json<FlightWithPlane>() })

  builder
    .addStateStore(stores.keyValue({ name: 'delays', key: timedKey, value: serdes.int32 }))
    .addStateStore(
      stores.keyValue({ name: 'aircraft', key: serdes.string, value: serdes.json<AircraftState>() }),
    )
  withPlanes
    .process(() => new DelayedAircraft(), { stores: ['delays', 'aircraft'] })
    .to('delayed-aircraft', { key: serdes.string, value: serdes.json<DelayedAircraftChange>() })

  // By carrier.
  flights
    .groupBy(({ value }) => value.carrier, { key: serdes.string })
    .aggregate({
      initializer: () => noDelays,
      aggregator: addFlight,
      store: 'carrier-delays',
      value: serdes.json<CarrierDelays>(),
    })
    .toStream()
    .to('carrier-delays')

  // By airport: both sides of the join have to meet in one task, so both topics have the same number of
  // partitions.
  builder
    .addStateStore(stores.keyValue({ name: 'flights-by-time', key: timedKey, value: flight }))
    .addStateStore(
      stores.keyValue({ name: 'weather-by-time', key: timedKey, value: serdes.json<WeatherHour>() }),
    )
  const sides = { stores: ['flights-by-time', 'weather-by-time'] }
  flights
    .selectKey(({ value }) => value.origin)
    .repartition({ key: serdes.string, name: 'flights-by-origin', partitions: airportPartitions })
    .process(() => new FlightSide(), sides)
    .merge(
      builder
        .stream('weather', { key: serdes.string, value: serdes.json<WeatherHour>() })
        .process(() => new WeatherSide(), sides),
    )
    .to('flights-with-weather', { key: serdes.string, value: serdes.json<FlightWithWeather>() })
})
