/** Async processors in the driver: a piped record has been waited for when its promise resolves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  defineTopology,
  Headers,
  RetriableError,
  serdes,
  TimeWindows,
  type TopologyModule,
} from '../../../src/index.ts'
import { type TestDriverOptions, TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string, value: serdes.string }

async function opened(topology: TopologyModule, options: TestDriverOptions = {}) {
  const driver = await TopologyTestDriver.open(topology, { initialWallClockTimeMs: 1_000_000, ...options })
  return {
    driver,
    input: driver.createInputTopic('in', { ...text, startTimestamp: 1_000 }),
    output: driver.createOutputTopic('out', text),
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

function mapped(mapper: (value: string, signal: AbortSignal) => Promise<string>): TopologyModule {
  return defineTopology((builder) => {
    builder
      .stream('in', text)
      .mapValuesAsync((value, _key, signal) => mapper(value, signal))
      .to('out', text)
  })
}

test('a piped record has gone through when its promise resolves, whatever it waited for', async () => {
  await using run = await opened(
    mapped(async (value) => {
      await sleep(Number(value))
      return `after ${value}`
    }),
  )
  const first = run.input.pipeInput('a', '30')
  const second = run.input.pipeInput('b', '1')
  await second
  assert.deepEqual(run.output.readValuesToList(), ['after 30', 'after 1'])
  await first
})

test('what is written to a repartition topic waits for its promises, too; stream time is that of the record', async () => {
  const topology = defineTopology((builder) => {
    builder
      .stream('in', text)
      .mapValuesAsync(async (value) => `${value}!`)
      .groupBy(({ value }) => value, text)
      .windowedBy(TimeWindows.of({ sizeMs: 100, graceMs: 0 }))
      .count({ store: 'counts' })
      .toStream()
      .map(({ key, value }) => ({ key: key.key, value: `${key.window.start} ${value}` }))
      .repartition(text)
      .mapValuesAsync(async (value, key) => `${key} ${value}`)
      .to('out', text)
  })
  await using run = await opened(topology)
  await run.input.pipeInput('k', 'a', 1_000)
  await run.input.pipeInput('k', 'a', 1_050)
  await run.input.pipeInput('k', 'a', 1_100)
  await run.input.pipeInput('k', 'a', 1_099)
  assert.deepEqual(run.output.readValuesToList(), ['a! 1000 1', 'a! 1000 2', 'a! 1100 1'])
  assert.equal(run.driver.recordsDropped, 1)
})

describe('what fails', () => {
  test('a rejection fails the driver, or is a dead letter with the bytes of its record', async () => {
    const topology = mapped((value) => Promise.reject(new TypeError(`no ${value}`)))
    {
      await using run = await opened(topology)
      await assert.rejects(run.input.pipeInput('k', 'price'), {
        code: 'processing-failed',
        message: 'in partition 0 offset 0, processor KSTREAM-MAPVALUESASYNC-0000000001: no price',
      })
    }
    await using run = await opened(topology, {
      processingExceptionHandler: 'continue',
      errorsDeadLetterQueueTopicName: 'letters',
    })
    const headers = Headers.empty.with('from', 'test')
    await run.input.pipeRecord({ key: 'k', value: 'price', headers })
    const letter = run.driver.createOutputTopic('letters', text).readRecord()!
    assert.deepEqual([letter.key, letter.value, letter.timestamp], ['k', 'price', 1_000])
    assert.equal(letter.headers.last('from')?.value?.toString(), 'test')
    assert.equal(letter.headers.last('__streams.errors.exception')?.value?.toString(), 'TypeError')
    assert.equal(run.driver.recordsDropped, 1)
  })

  test('a RetriableError moves the wall clock to when the record is tried again', async () => {
    let attempts = 0
    await using run = await opened(
      mapped(async (value) => {
        if (++attempts < 3) throw new RetriableError('away')
        return `${value} ${attempts}`
      }),
    )
    await run.input.pipeInput('k', 'v')
    assert.deepEqual(run.output.readValuesToList(), ['v 3'])
    const waitedMs = run.driver.wallClockTimeMs - 1_000_000
    assert.ok(waitedMs >= 240 && waitedMs <= 360, `${waitedMs} ms`)
  })

  test('a promise that does not settle has failed after asyncTimeoutMs', async () => {
    await using run = await opened(
      mapped(
        (_value, signal) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ),
      { asyncTimeoutMs: 20 },
    )
    await assert.rejects(run.input.pipeInput('k', 'v'), {
      code: 'async-timeout',
      message: /in partition 0 offset 0, .*longer than 20 ms/,
    })
  })

  test('asyncTimeoutMs is at least a millisecond', async () => {
    await assert.rejects(
      opened(
        mapped(async (value) => value),
        { asyncTimeoutMs: 0 },
      ),
      {
        message: 'TopologyTestDriver: asyncTimeoutMs is 0; allowed is 1 ms and more',
      },
    )
  })
})
