import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'

import { createLogger } from '../../../src/observe/logger.ts'

function lines(): { destination: Writable; written: () => string[] } {
  const chunks: string[] = []
  const destination = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk.toString())
      done()
    },
  })
  return {
    destination,
    written: () =>
      chunks
        .join('')
        .split('\n')
        .filter((line) => line !== ''),
  }
}

test('json: one object a line, with a level word, an ISO time, a message and the fields', () => {
  const { destination, written } = lines()
  const logger = createLogger({ logLevel: 'info', logFormat: 'json' }, destination)
  logger.debug('not this')
  logger.info({ task: '0_1' }, 'task started')
  const [line = '', ...rest] = written()
  assert.deepEqual(rest, [])
  const { time, ...others } = JSON.parse(line) as { time: string }
  assert.deepEqual(others, { level: 'info', task: '0_1', message: 'task started' })
  assert.equal(new Date(time).toISOString(), time)
})

test('pretty: text for people', async () => {
  const { destination, written } = lines()
  createLogger({ logLevel: 'warn', logFormat: 'pretty' }, destination).warn({ task: '0_1' }, 'task slow')
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(written().join('\n'), /WARN.*task slow[\s\S]*task: "0_1"/)
})
