import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { readFlights, readPlanes, readWeather, toFlight, toPlane } from '../../../examples/flights/csv.ts'
import { windowMsOf } from '../../../examples/flights/rules.ts'
import { differences, expectedResults } from '../../../examples/flights/verify.ts'

const row = {
  year: '2013',
  month: '1',
  day: '7',
  dep_delay: 'NA',
  carrier: 'UA',
  flight: '1545',
  tailnum: 'NA',
  origin: 'EWR',
  dest: 'IAH',
  minute: '15',
  time_hour: '2013-01-07T10:00:00Z',
}

describe("the flights example's files", () => {
  test('NA is null', () => {
    assert.deepEqual(toFlight(row), {
      id: '2013-01-07/UA1545/EWR',
      carrier: 'UA',
      tailNumber: null,
      origin: 'EWR',
      destination: 'IAH',
      scheduledAtMs: Date.UTC(2013, 0, 7, 10, 15),
      departureDelayMinutes: null,
    })
    assert.equal(toFlight({ ...row, dep_delay: '-3' }).departureDelayMinutes, -3)
  })

  test('what is no number, or no column, is named', () => {
    assert.throws(() => toFlight({ ...row, dep_delay: 'late' }), /dep_delay: late is no number/)
    assert.throws(() => toFlight({ ...row, minute: 'NA' }), /minute is NA/)
    assert.throws(() => toPlane({ tailnum: 'N1' }), /no column year/)
  })

  test('are read whole', async () => {
    const flights = await readFlights()
    assert.equal(flights.length, 27_004)
    assert.equal(new Set(flights.map(({ id }) => id)).size, flights.length)
    assert.equal(flights.filter(({ tailNumber }) => tailNumber === null).length, 155)
    assert.equal(flights.filter(({ departureDelayMinutes }) => departureDelayMinutes === null).length, 521)
    assert.equal((await readPlanes()).length, 3_322)
    assert.equal((await readWeather()).length, 2_226)
  })
})

describe("the flights example's check", () => {
  const expected = expectedResults()

  test('agrees with figures that were counted by other means', () => {
    assert.equal(expected.flightsWithPlanes.size, 27_004)
    assert.equal(expected.carrierDelays.size, 16)
    assert.deepEqual(expected.carrierDelays.get('AA'), {
      flights: 2_794,
      cancelled: 59,
      departed: 2_735,
      totalDelayMinutes: 18_960,
      meanDelayMinutes: 18_960 / 2_735,
      maxDelayMinutes: 337,
    })
  })

  test('has each flight of an aircraft once, whatever flights are grouped by', () => {
    const sum = (groups: Iterable<unknown>): number =>
      [...groups].reduce<number>((total, group) => total + (group as { flights: number }).flights, 0)
    assert.equal(sum(expected.aircraftSessions.values()), 27_004 - 155)
    // Of the last two days nothing is told.
    const ofDays = sum([...expected.aircraftDays.values()].flat())
    assert.ok(ofDays > 24_500 && ofDays < 26_500, String(ofDays))
    assert.ok(expected.fleet.size > 2_000 && expected.fleet.size < 3_322)
  })

  test('finds a value that is missing, one that is wrong and one too many', () => {
    assert.deepEqual(differences(expected, expected), [])
    const carrierDelays = new Map(expected.carrierDelays)
    carrierDelays.delete('AA')
    carrierDelays.set('UA', {})
    carrierDelays.set('ZZ', {})
    assert.deepEqual(
      differences({ ...expected, carrierDelays }, expected).map((line) => line.split(':')[0]),
      ['carrierDelays UA', 'carrierDelays ZZ', 'carrierDelays AA'],
    )
  })
})

test('an aircraft has a window of its own', () => {
  const days = [null, { yearBuilt: null }, { yearBuilt: 2004 }, { yearBuilt: 1999 }].map(
    (plane) => windowMsOf(plane) / 86_400_000,
  )
  assert.deepEqual(days, [2, 2, 4, 7])
})
