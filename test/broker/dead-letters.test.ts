/** `weir dlq`: what an application has dead-lettered is listed, shown and, once the application is mended, replayed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { type ExitResult, runWeir, WeirProcess } from '../support/weir-process.ts'

const module = 'test/support/topologies/faulty-events.ts'
const RECORDS = 40
const topics = { events: 'dlq-events', results: 'dlq-results', letters: 'dlq-letters' }

interface ShownLetter {
  readonly partition: number
  readonly offset: number
  readonly sourceTopic: string
  readonly sourcePartition: number
  readonly sourceOffset: number
  readonly exception: string
  readonly message: string
  readonly headers: { key: string; value: string }[]
  readonly key: { text: string; as: string; problem: string | null; base64: string }
  readonly value: { text: string; as: string; problem: string | null; base64: string }
}

function int32(number: number): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt32BE(number)
  return key
}

describe('weir dlq', () => {
  let kafka: KafkaService
  const scratch = makeScratchDir('dead-letters')
  before(async () => {
    kafka = await startKafka()
    await createTopics(kafka.bootstrapServers, {
      [topics.events]: 2,
      [topics.results]: 2,
      [topics.letters]: 2,
    })
    await produceAll(
      kafka.bootstrapServers,
      Array.from({ length: RECORDS }, (_, number) => {
        const json = JSON.stringify({ number, do: number % 10 === 3 ? 'throw' : 'pass' })
        return {
          topic: topics.events,
          partition: number % 2,
          key: int32(number),
          value: number % 10 === 6 ? json.slice(0, -1) : json,
          timestamp: 1_700_000_000_000 + number,
          headers: [{ number: String(number) }],
        }
      }),
    )
    await work({})
  })
  after(() => kafka.stop())

  function settings(): Record<string, string> {
    return {
      WEIR_APPLICATION_ID: 'dlq',
      WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      WEIR_STATE_DIR: scratch,
      WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: topics.letters,
      EVENTS: topics.events,
      RESULTS: topics.results,
    }
  }

  async function work(env: Record<string, string>): Promise<void> {
    await using worker = await WeirProcess.start({
      module,
      applicationId: 'dlq',
      bootstrapServers: kafka.bootstrapServers,
      stateDir: scratch,
      env: {
        ...settings(),
        WEIR_DESERIALIZATION_EXCEPTION_HANDLER: 'continue',
        WEIR_PROCESSING_EXCEPTION_HANDLER: 'continue',
        WEIR_COMMIT_INTERVAL_MS: '200',
        ...env,
      },
    })
    await worker.whileRunning(waitUntilConsumed(kafka.bootstrapServers, 'dlq', [topics.events]))
    await worker.stop()
  }

  function dlq(...args: string[]): Promise<ExitResult> {
    return runWeir(['dlq', ...args], settings())
  }

  async function shown(...args: string[]): Promise<ShownLetter[]> {
    const { code, stdout, stderr } = await dlq('show', ...args, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as ShownLetter[]
  }

  test('list: a line for each, those that are asked for', async () => {
    const all = await dlq('list')
    assert.equal(all.code, 0, all.stderr)
    const lines = all.stdout.trimEnd().split('\n')
    assert.equal(lines.length, 1 + 8)
    assert.match(lines[0]!, /^record +timestamp +source +exception +message$/)
    const torn = lines.filter((line) =>
      /2023-11-14T22:13:20\.\d{3}Z +dlq-events:0:\d+ +DeserializationError/.test(line),
    )
    assert.equal(torn.length, 4)
    const thrown = (await dlq('list', '--exception', 'Error')).stdout.trimEnd().split('\n')
    assert.equal(thrown.length, 1 + 4)
    assert.ok(thrown.slice(1).every((line) => line.includes('dlq-events:1:')))
    const limited = (await dlq('list', '--limit', '3')).stdout.trimEnd().split('\n')
    assert.equal(limited.length, 1 + 3 + 1)
    assert.match((await dlq('list', '--source', 'other')).stdout, /^dlq-letters: no such record/)
  })

  test('show: with the serdes of the topology, as far as they go', async () => {
    const [torn] = (await shown(module, '--exception', 'DeserializationError')).toSorted(
      (a, b) => a.sourceOffset - b.sourceOffset,
    )
    assert.deepEqual([torn!.sourceTopic, torn!.sourcePartition, torn!.sourceOffset], [topics.events, 0, 3])
    assert.deepEqual(torn!.headers, [{ key: 'number', value: '6' }])
    assert.deepEqual({ ...torn!.key, base64: '' }, { text: '6', as: 'int32', problem: null, base64: '' })
    assert.equal(torn!.value.as, 'text')
    assert.match(torn!.value.problem!, /no json/)
    const record = `${torn!.partition}:${torn!.offset}`
    const { stdout } = await dlq('show', module, '--records', record)
    assert.match(stdout, new RegExp(`^record +${record}$`, 'm'))
    assert.match(stdout, /^key +6 \(int32\)$/m)
    assert.match(stdout, /\n {2}Caused by: SyntaxError/)
    // Without the topology: bytes.
    const [plain] = await shown('--records', record)
    assert.deepEqual([plain!.key.text, plain!.key.as], ['"\\u0000\\u0000\\u0000\\u0006"', 'text'])
  })

  test('what is asked wrongly', async () => {
    const wrong = await dlq('list', '--records', '0:5-3')
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /^weir: --records: "0:5-3"; allowed: partition:offset/m)
    assert.match((await dlq('replay')).stderr, /^weir: dlq replay: say which/m)
    const missing = await dlq('list', '--topic', 'nowhere')
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /^weir: dead-letter topic nowhere does not exist/m)
  })

  test('replay: shown first, then done: what failed is processed by the mended application', async () => {
    const before = await readToEnd(kafka.bootstrapServers, topics.events)
    const planned = await dlq('replay', '--exception', 'Error')
    assert.equal(planned.code, 0, planned.stderr)
    assert.match(planned.stdout, /^dlq-events +1 +4$/m)
    assert.match(planned.stdout, /Nothing was written; --execute does it\.\n$/)
    assert.equal((await readToEnd(kafka.bootstrapServers, topics.events)).length, before.length)

    const { code, stdout, stderr } = await dlq('replay', '--exception', 'Error', '--execute', '--json')
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), {
      deadLetterTopic: topics.letters,
      targets: [{ topic: topics.events, partition: 1, records: 4 }],
      leftAlone: [],
      isExecuted: true,
      written: 4,
    })
    const after = await readToEnd(kafka.bootstrapServers, topics.events)
    const again = after.filter(({ partition, offset }) => partition === 1 && offset >= RECORDS / 2)
    const failed = before.filter(({ key }) => key!.readInt32BE() % 10 === 3)
    // Records of one key keep their order; these have a key each, and the dead-letter topic two partitions.
    assert.deepEqual(
      again.map(({ offset: _, ...record }) => record).toSorted((a, b) => a.timestamp - b.timestamp),
      failed.map(({ offset: _, ...record }) => record),
    )

    await work({ MENDED: 'yes' })
    const numbers = (await readToEnd(kafka.bootstrapServers, topics.results)).map(({ key }) =>
      key!.readInt32BE(),
    )
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      Array.from({ length: RECORDS }, (_, number) => number).filter((number) => number % 10 !== 6),
    )
    // The others stayed where they were.
    assert.equal((await readToEnd(kafka.bootstrapServers, topics.letters)).length, 8)
  })
})
