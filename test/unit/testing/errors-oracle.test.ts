import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import {
  buildDeadLetter,
  defineTopology,
  type ErrorHandlerContext,
  Headers,
  type Processor,
  type Serde,
  type StreamRecord,
  serdes,
} from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

/** The topology and the records of test/oracle/errors/RunErrors.java: handlers must see the same, and the topics have the same records. */

const RECORDS = 300
const bytes = { key: serdes.bytes, value: serdes.bytes }
const numbers = { key: serdes.string, value: serdes.int32 }

/** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
function generator(): (bound: number) => number {
  let state = 42n
  return (bound) => {
    state = (state * 1103515245n + 12345n) & 0x7fffffffn
    return Number((state >> 8n) % BigInt(bound))
  }
}

function shownBytes(part: Uint8Array | null): string {
  return part === null ? 'null' : `${Buffer.from(part).toString('hex')}.`
}

/** Without what is told in words of its own. */
function shownHeaders(headers: Headers): string {
  const shown = Array.from(headers, ({ key, value }) =>
    /^__streams\.errors\.(exception|message|stacktrace)$/.test(key)
      ? key
      : `${key}=${value?.toString() ?? 'null'}`,
  )
  return `[${shown.join(',')}]`
}

function unless(divisor: number, value: number): number {
  if (value % divisor === 0) throw new RangeError(`a multiple of ${divisor}`)
  return value
}

function picky<T>(serde: Serde<T>, isRefused: (value: T) => boolean): Serde<T> {
  return {
    ...serde,
    serialize(value, writer) {
      if (isRefused(value)) throw new RangeError('refused')
      serde.serialize(value, writer)
    },
  }
}

function firstProcessor(): Processor<string, number, string, number> {
  let ticks = 0
  return {
    init(context) {
      context.schedule({ intervalMs: 100, type: 'wall-clock-time' }, (timestamp) => {
        if (++ticks % 3 === 0) throw new Error('tick')
        context.forward({ key: 'tick', value: ticks, timestamp, headers: Headers.empty })
      })
    },
    process(record, context) {
      const { key, value, timestamp, headers } = record
      if (value % 7 === 0) throw new Error('before')
      context.forward({ key, value, timestamp: timestamp + 1, headers })
      if (value % 11 === 0) throw new Error('after')
    },
  }
}

function topologyThatTells(lines: string[]) {
  const seen = (kind: string, context: ErrorHandlerContext, record: string): void => {
    const { processorNode, topic, partition, offset, timestamp, taskId, headers } = context
    const raw = [shownBytes(context.sourceRawKey), shownBytes(context.sourceRawValue)]
    const place = [processorNode, topic ?? 'null', partition, offset, timestamp, taskId]
    lines.push([kind, ...place, shownHeaders(headers), ...raw, record].join(' '))
  }
  const resumed = (context: ErrorHandlerContext, error: Error) =>
    ({ result: 'continue', deadLetters: [buildDeadLetter('letters', context, error)] }) as const
  return defineTopology(
    (builder) => {
      const source = builder.stream('in', numbers)
      const first = source.process(firstProcessor)
      first
        .mapValues((value) => unless(5, value))
        .to('out', {
          key: picky(serdes.string, (key) => key === 'k3'),
          value: picky(serdes.int32, (value) => value % 13 === 0),
        })
      // Its sink fails below the processor, which is asked about.
      first.to('parted', { ...numbers, partitioner: (_topic, _key, value) => unless(17, value) * 0 })
      source
        .groupByKey()
        .count()
        .toStream()
        .filter(({ value }) => unless(4, value) > 0)
        .to('counts', { key: serdes.string, value: serdes.int64 })
      source
        .selectKey(({ value }) => `r${value % 3}`)
        .repartition({ name: 'again', ...numbers })
        .mapValues((value) => unless(6, value))
        .to('again-out', numbers)
    },
    {
      deadLetterTopics: ['letters'],
      deserializationExceptionHandler: (context, error) => {
        seen('deserialization', context, '-')
        return resumed(context, error)
      },
      processingExceptionHandler: (context, record, error) => {
        const { key, value, timestamp } = record ?? {}
        seen('processing', context, record === null ? 'null' : `${String(key)}=${String(value)}@${timestamp}`)
        return resumed(context, error)
      },
      productionExceptionHandler: (context, { stage, topic, key, value, timestamp }, error) => {
        const record = `${String(key)}=${String(value)}@${timestamp}`
        seen('production', context, `${stage.toUpperCase()} ${topic} ${record}`)
        return resumed(context, error)
      },
    },
  )
}

/** What Kafka Streams forgets of an input record once something was sent for it: its bytes. Weir has them as long as the record is at work. */
function withoutForgotten(weir: readonly string[], java: readonly string[]): string[] {
  return weir.map((line, index) => {
    const other = java[index]?.split(' ') ?? []
    const own = line.split(' ')
    const places =
      own[0] === 'processing' || own[0] === 'production' ? [8, 9] : own[0] === 'letters' ? [1, 2] : []
    for (const at of places) if (other[at] === 'null') own[at] = 'null'
    return own.join(' ')
  })
}

test('handlers see what they see in Kafka Streams, and what is written is the same', async () => {
  const expected = readFileSync(new URL('fixtures/errors/errors.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  const lines: string[] = []
  await using driver = await TopologyTestDriver.open(topologyThatTells(lines), {
    applicationId: 'errors',
    initialWallClockTimeMs: 1_000_000,
    statestoreCacheMaxBytes: 0,
  })
  const input = driver.createInputTopic('in', bytes)
  const next = generator()
  for (let index = 0; index < RECORDS; index++) {
    lines.push(`record ${index}`)
    const key = Buffer.from(`k${next(5)}`)
    const length = next(6) === 0 ? 3 : 4
    const value = Buffer.alloc(4)
    value.writeInt32BE(1 + next(1000))
    const timestamp = 1000 + index + next(40)
    const headers = Headers.empty.with('index', String(index))
    await input.pipeRecord({ key, value: value.subarray(0, length), timestamp, headers })
    if (index % 10 === 9) await driver.advanceWallClockTime(100)
    for (const topic of [...driver.producedTopicNames()].sort()) {
      if (topic.endsWith('-changelog')) continue
      for (const record of driver.createOutputTopic(topic, bytes).readRecordsToList()) {
        const { key, value, timestamp, headers } = record as StreamRecord<Buffer | null, Buffer | null>
        lines.push([topic, shownBytes(key), shownBytes(value), timestamp, shownHeaders(headers)].join(' '))
      }
    }
  }
  assert.ok(lines.filter((line) => line.startsWith('letters ')).length > RECORDS / 2)
  assert.deepEqual(withoutForgotten(lines, expected), expected)
})
