import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { type ErrorCode, type ErrorEntry, errorCodes } from '../../../src/errors/codes.ts'
import { WeirError } from '../../../src/errors/weir-error.ts'
import {
  type UncaughtErrorContext,
  type UncaughtErrorHandler,
  UncaughtErrors,
} from '../../../src/runtime/uncaught-errors.ts'

/** @param handler null: the setting decides */
function setUp(handler: UncaughtErrorHandler | null, threadReplacementsMax = 10) {
  const lines: string[] = []
  const log = (fields: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`)
  }
  const logger = { debug: log, info: log, warn: log, error: log }
  const config = { uncaughtError: 'replace-thread', threadReplacementsMax } as const
  return { lines, errors: new UncaughtErrors(config, handler ?? undefined, logger) }
}

const thrown = new WeirError('processing-failed', 'a processor threw')

describe('UncaughtErrors', () => {
  test('the handler decides, and is told what it can', () => {
    const told: [string, UncaughtErrorContext][] = []
    const { errors } = setUp((error, context) => {
      told.push([error.message, context])
      return told.length === 1 ? 'replace-thread' : 'stop-application'
    })
    assert.deepEqual(errors.answer(thrown, 1, 0), { response: 'replace-thread', delayMs: 100 })
    assert.deepEqual(errors.answer(thrown, 0, 0), { response: 'stop-application' })
    const context = { canReplaceThread: true, replacements: 0 }
    assert.deepEqual(told, [
      [thrown.message, { threadIndex: 1, ...context }],
      [thrown.message, { threadIndex: 0, ...context, replacements: 1 }],
    ])
  })

  test('without a handler the setting decides', () => {
    assert.equal(setUp(null).errors.answer(thrown, 0, 0).response, 'replace-thread')
  })

  test('a thread is replaced after exactly those errors that the table says', () => {
    const replaced = (Object.keys(errorCodes) as ErrorCode[]).filter((code) => {
      const { errors } = setUp(null)
      return errors.answer(new WeirError(code, code), 0, 0).response === 'replace-thread'
    })
    const inTable = Object.entries<ErrorEntry>(errorCodes).filter(
      ([, { newThreadMayHelp }]) => newThreadMayHelp,
    )
    assert.deepEqual(
      replaced,
      inTable.map(([code]) => code),
    )
    for (const code of ['thread-stuck', 'thread-ended', 'disk-full'] as const)
      assert.ok(!replaced.includes(code), code)
  })

  test('an error that no thread has ended by stops the worker', () => {
    const { errors, lines } = setUp(null)
    assert.deepEqual(errors.answer(thrown, null, 0), { response: 'stop-worker' })
    assert.match(lines.join('\n'), /the thread is not replaced .*it is not of one thread/)
  })

  test('the bound holds, and says so', () => {
    const { errors, lines } = setUp(null, 1)
    assert.equal(errors.answer(thrown, 0, 0).response, 'replace-thread')
    assert.equal(errors.answer(thrown, 0, 0).response, 'stop-worker')
    assert.match(lines.join('\n'), /1 threads were replaced \(WEIR_THREAD_REPLACEMENTS_MAX\)/)
  })

  test('a handler that fails, or answers what there is not, stops the worker', () => {
    for (const [handler, line] of [
      [
        () => 'restart' as never,
        /onUncaughtError returned restart; allowed: replace-thread, stop-worker, stop-application/,
      ],
      [
        () => {
          throw new Error('in the handler')
        },
        /onUncaughtError failed .*in the handler/,
      ],
    ] as const) {
      const { errors, lines } = setUp(handler)
      assert.deepEqual(errors.answer(thrown, 0, 0), { response: 'stop-worker' })
      assert.match(lines.join('\n'), line)
    }
  })

  test('who is asked to stop by another process does not ask again', () => {
    const { errors } = setUp(() => assert.fail('asked'))
    const asked = new WeirError('stop-requested', 'stop')
    assert.deepEqual(errors.answer(asked, null, 0), { response: 'stop-worker' })
  })
})
