/** What the example's topics carry, as JSON. */

export interface Flight {
  /** Unique: day, carrier, flight number and origin. */
  readonly id: string
  readonly carrier: string
  /** null where the data has none: a cancelled flight without an aircraft. */
  readonly tailNumber: string | null
  readonly origin: string
  readonly destination: string
  /** Ms since 1970; also the record's timestamp. */
  readonly scheduledAtMs: number
  /** Negative when early, null when the flight was cancelled. */
  readonly departureDelayMinutes: number | null
}

export interface Plane {
  readonly tailNumber: string
  readonly yearBuilt: number | null
  readonly manufacturer: string
  readonly model: string
  readonly seats: number
}

export interface WeatherHour {
  readonly origin: string
  /** The hour's start, ms since 1970; also the record's timestamp. */
  readonly hourMs: number
  readonly temperatureFahrenheit: number | null
  readonly windSpeedMph: number | null
  readonly precipitationInches: number | null
  readonly visibilityMiles: number | null
}

/** In `flights-with-planes`, by flight. */
export interface FlightWithPlane extends Flight {
  /** null for a flight without an aircraft, and for an aircraft that is not in the planes. */
  readonly plane: Plane | null
}

/** In `carrier-delays`, by carrier: departure delays. */
export interface CarrierDelays {
  readonly flights: number
  readonly cancelled: number
  /** Departures, of which the other fields speak. */
  readonly departed: number
  readonly totalDelayMinutes: number
  /** null before the first departure. */
  readonly meanDelayMinutes: number | null
  readonly maxDelayMinutes: number | null
}

/** In `delayed-aircraft`, by tail number: an aircraft came into the segment, or left it. */
export interface DelayedAircraftChange {
  readonly tailNumber: string
  readonly change: 'entered' | 'left'
  /** The aircraft's own time at the change, ms since 1970. */
  readonly atMs: number
  /** Delays in its window at that time. */
  readonly delays: number
  readonly windowMs: number
}

/** In `flights-with-weather`, by flight and hour: one record for each hour of weather around a departure. */
export interface FlightWithWeather {
  readonly flight: string
  readonly origin: string
  readonly scheduledAtMs: number
  readonly departureDelayMinutes: number | null
  readonly weather: WeatherHour
}

export interface AircraftTotals {
  /** Cancelled ones too. */
  readonly flights: number
  readonly cancelled: number
  /** Of all departures together; early ones count against late ones. */
  readonly delayMinutes: number
}

/** In `aircraft-days`, by tail number and day, once, when the day is over; in `fleet`, by tail number, are the totals of all days beside the plane. */
export interface AircraftDay extends AircraftTotals {
  readonly tailNumber: string
  /** The day's begin, UTC, ms since 1970. */
  readonly dayMs: number
}

/** In `aircraft-sessions`, by tail number and start: flights with no long rest between them. */
export interface AircraftSession {
  readonly tailNumber: string
  /** Of the first flight, ms since 1970. */
  readonly startMs: number
  /** Of the last one. */
  readonly endMs: number
  readonly flights: number
}
