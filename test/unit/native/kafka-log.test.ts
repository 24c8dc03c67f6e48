import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

import { Admin, KafkaLog, type KafkaLogLine } from '../../../src/native.ts'

const timeout = 60_000

/** A client that says much. */
const talkative = { 'bootstrap.servers': '127.0.0.1:1', debug: 'generic' }

/** The next line that a sink gets. */
function nextLine(): { log: KafkaLog; line: Promise<KafkaLogLine> } {
  const { promise, resolve } = Promise.withResolvers<KafkaLogLine>()
  return { log: new KafkaLog(resolve), line: promise }
}

// A sink keeps no process alive.
const alive = setInterval(() => {}, 60_000)
test.after(() => clearInterval(alive))

test('lines come with client, level and facility, to the youngest sink', { timeout }, async () => {
  const first = nextLine()
  const second = nextLine()
  const admin = new Admin({ ...talkative, 'client.id': 'looked-for' })
  const line = await second.line
  assert.match(line.client, /^looked-for#/)
  assert.equal(line.level, 7)
  assert.match(line.facility, /^[A-Z]+$/)
  assert.notEqual(line.message, '')
  await admin.close()
  second.log.close()
  second.log.close()

  const other = new Admin({ ...talkative, 'client.id': 'another' })
  assert.match((await first.line).client, /^another#/)
  await other.close()
  first.log.close()
})

test("a worker's clients log to the main thread's sink, and a sink ends with its thread", {
  timeout,
}, async () => {
  const native = JSON.stringify(new URL('../../../src/native.ts', import.meta.url).href)
  const inWorker = (code: string) =>
    new Worker(`import(${native}).then(({ Admin, KafkaLog }) => { ${code} })`, { eval: true })
  const { log, line } = nextLine()
  await once(inWorker('new KafkaLog(() => {})'), 'exit')
  await once(inWorker(`new Admin(${JSON.stringify({ ...talkative, 'client.id': 'of-a-worker' })})`), 'exit')
  assert.match((await line).client, /^of-a-worker#/)
  log.close()
})
