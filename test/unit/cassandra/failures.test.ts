import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { failureOf } from '../../../src/cassandra/failures.ts'
import { driverError, invalid, noHost, timedOut } from '../../support/unsteady-cassandra.ts'

const response = (code: number): Error => driverError('ResponseError', 'x', { code })
const noHostOf = (...inner: unknown[]): Error =>
  driverError('NoHostAvailableError', 'All host(s) tried', {
    innerErrors: Object.fromEntries(inner.map((error, index) => [`10.0.0.${index}`, error])),
  })

describe('failureOf', () => {
  const cases: readonly (readonly [string, unknown, string, string])[] = [
    ['a time-out', timedOut(), 'passes', 'timeout'],
    ['no node', noHost(), 'passes', 'unreachable'],
    ['nodes that are down', noHostOf('Host considered as DOWN', null), 'passes', 'unreachable'],
    [
      'a connection that broke',
      driverError('DriverError', 'Socket was closed', { isSocketError: true }),
      'passes',
      'unreachable',
    ],
    ['busy connections', driverError('BusyConnectionError', 'x'), 'passes', 'overloaded'],
    ['too few replicas', response(0x1000), 'passes', 'unavailable'],
    ['overloaded', response(0x1001), 'passes', 'overloaded'],
    ['a write time-out', response(0x1100), 'passes', 'timeout'],
    ['a write failure', response(0x1500), 'passes', 'server'],
    ["a server's own error", response(0x0000), 'passes', 'server'],
    ['an invalid request', invalid('x'), 'refused', 'refused'],
    ['a value that cannot be written', new TypeError('Not a valid text value'), 'refused', 'refused'],
    ['an unknown statement', noHostOf(response(0x2500)), 'unprepared', 'refused'],
    ['a permission', response(0x2100), 'denied', 'denied'],
    ['credentials', noHostOf(driverError('AuthenticationError', 'x')), 'denied', 'denied'],
    [
      'credentials at one node only',
      noHostOf(driverError('AuthenticationError', 'x'), timedOut()),
      'passes',
      'unreachable',
    ],
    ['anything else', new Error('x'), 'passes', 'unreachable'],
  ]
  for (const [name, error, kind, reason] of cases)
    test(name, () => {
      const failure = failureOf(error)
      assert.deepEqual([failure.kind, failure.reason], [kind, reason])
    })

  test('messages are one line, without the stacks that the driver puts there', () => {
    const inner = driverError('ResponseError', 'not found\n    at FrameReader.readError', { code: 0x2500 })
    assert.equal(
      failureOf(noHostOf(inner, 'Host considered as DOWN')).message,
      'no node answers: 10.0.0.0: not found; 10.0.0.1: Host considered as DOWN',
    )
    assert.equal(failureOf(noHost()).message, 'no node answers')
  })
})
