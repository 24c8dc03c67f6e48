import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'

import { createLogger } from '../../../src/observe/logger.ts'
import { RecentLines } from '../../../src/observe/recent-lines.ts'

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })

test('the last warnings and errors are remembered, and no other lines', () => {
  let nowMs = 1_000
  const recent = new RecentLines(2, () => nowMs)
  const logger = createLogger({ logLevel: 'info', logFormat: 'json' }, nowhere(), recent)
  logger.info({ task: '0_0' }, 'task started')
  logger.warn({ task: '0_1', records: 3, isLost: false, gone: undefined }, 'task slow')
  nowMs = 2_000
  logger.error('only a message')
  logger.fatal(new Error('out of\nmemory'))
  assert.deepEqual(recent.after(0), [
    { id: 2, timeMs: 2_000, level: 'error', message: 'only a message', fields: {} },
    { id: 3, timeMs: 2_000, level: 'error', message: 'out of memory', fields: {} },
  ])
  assert.deepEqual(
    recent.after(2).map(({ id }) => id),
    [3],
  )
  assert.deepEqual(recent.counts, { warnings: 1, errors: 2 })
})

test('what the level leaves out is not remembered', () => {
  const recent = new RecentLines()
  createLogger({ logLevel: 'error', logFormat: 'json' }, nowhere(), recent).warn('not this')
  assert.deepEqual(recent.counts, { warnings: 0, errors: 0 })
})

test('a line is bounded, whatever is in it, and shows no field with the name of a secret', () => {
  const recent = new RecentLines(10, () => 0)
  const circle: { self?: unknown } = {}
  circle.self = circle
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, index]))
  recent.add(40, [
    {
      reason: new Error('why'),
      circle,
      list: [1, 'a'],
      'ssl.key.password': 'secret',
      password: 'secret',
      text: 'x'.repeat(5_000),
    },
    'y'.repeat(5_000),
  ])
  recent.add(40, [many, 'many fields'])
  const [first, second] = recent.after(0)
  const { text, ...fields } = first!.fields
  assert.deepEqual(fields, {
    reason: 'why',
    circle: '(object)',
    list: '[1,"a"]',
    'ssl.key.password': '(hidden)',
    password: '(hidden)',
  })
  assert.deepEqual([String(text).length, first?.message.length], [1_001, 1_001])
  assert.equal(Object.keys(second!.fields).length, 20)
})
