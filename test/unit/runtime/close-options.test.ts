import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { type CloseOptions, checkCloseOptions, checkTimeout } from '../../../src/runtime/close-options.ts'

const dynamic = { groupInstanceId: null }
const member = { groupInstanceId: 'one' }

describe('checkCloseOptions', () => {
  for (const [options, config, canStaticLeave] of [
    [{}, dynamic, false],
    [{ timeoutMs: 0 }, dynamic, true],
    [{ leaveGroup: true }, dynamic, false],
    [{ leaveGroup: false }, member, false],
    [{ leaveGroup: true, timeoutMs: 1_000 }, member, true],
  ] as const) {
    test(`allows ${JSON.stringify({ ...options, ...config })}`, () =>
      checkCloseOptions(options, config, canStaticLeave))
  }

  for (const [options, config, line] of [
    [
      { leaveGroup: false },
      dynamic,
      'close: leaveGroup false is for static members only: set WEIR_GROUP_INSTANCE_ID',
    ],
    [
      { leaveGroup: true },
      member,
      'close: leaveGroup true: a static member can leave under WEIR_GROUP_PROTOCOL=classic only',
    ],
    [{ leaveGroup: 'yes' }, member, 'close: leaveGroup yes; allowed: true, false'],
    [{ timeout: 1 }, member, 'close: unknown option timeout; allowed: timeoutMs, leaveGroup'],
    [{ timeoutMs: -1 }, member, 'close: timeoutMs -1; allowed: milliseconds from 0 to 2147483647'],
  ] as const) {
    test(`refuses: ${line}`, () =>
      assert.throws(() => checkCloseOptions(options as CloseOptions, config, false), {
        code: 'config-invalid',
        message: line,
      }))
  }
})

test('checkTimeout refuses what is no time', () => {
  for (const timeoutMs of [Number.NaN, -1, 2 ** 31, '5' as never])
    assert.throws(() => checkTimeout('removeStreamThread', timeoutMs), { code: 'config-invalid' })
  checkTimeout('removeStreamThread', undefined)
})
