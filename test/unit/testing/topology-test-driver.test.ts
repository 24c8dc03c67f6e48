import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import {
  defineTopology,
  Headers,
  type Processor,
  type ProcessorContext,
  type Serde,
  type StreamRecord,
  serdes,
  stores,
  type TimestampedKeyValueStore,
  Topology,
} from '../../../src/index.ts'
import { nativeObjects } from '../../../src/native.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string, value: serdes.string }
const counted = { key: serdes.string, value: serdes.int64 }

const folder = mkdtempSync(join(tmpdir(), 'weir-driver-test-'))
after(() => rmSync(folder, { recursive: true }))

const wordCount = (options: { caching?: boolean; inMemory?: boolean } = {}) =>
  defineTopology((builder) => {
    builder
      .stream('lines', text)
      .flatMapValues((line) => line.split(' '))
      .groupBy(({ value }) => value, text)
      .count({ store: 'counts', ...options })
      .toStream()
      .to('counted')
  })

describe('topics', () => {
  test('records go through repartition topics, with their timestamps and headers', async () => {
    await using driver = await TopologyTestDriver.open(wordCount())
    const lines = driver.createInputTopic('lines', { ...text, startTimestamp: 100, autoAdvanceMs: 10 })
    const output = driver.createOutputTopic('counted', counted)
    assert.equal(output.isEmpty, true)
    await lines.pipeInput(null, 'to be to')
    await lines.pipeRecord({ key: 'k', value: 'be', headers: Headers.empty.with('from', 'test') })
    await lines.pipeInput('k', 'to', 7)
    assert.equal(output.queueSize, 5)
    const read = output.readRecordsToList()
    assert.deepEqual(
      read.map(({ key, value, timestamp, headers }) => [
        key,
        value,
        timestamp,
        headers.last('from')?.value?.toString() ?? null,
      ]),
      [
        ['to', 1, 100, null],
        ['be', 1, 100, null],
        ['to', 2, 100, null],
        ['be', 2, 110, 'test'],
        ['to', 3, 100, null],
      ],
    )
    assert.equal(output.isEmpty, true)
  })

  test('internal topics can be read, and named; each record is there once', async () => {
    await using driver = await TopologyTestDriver.open(wordCount(), { applicationId: 'app' })
    assert.deepEqual(driver.producedTopicNames(), new Set())
    await driver.createInputTopic('lines', text).pipeRecords([
      { key: null, value: 'a b', timestamp: 1 },
      { key: null, value: 'b', timestamp: 2 },
    ])
    assert.deepEqual(
      driver.producedTopicNames(),
      new Set(['app-counts-repartition', 'counted', 'app-counts-changelog']),
    )
    const repartition = driver.createOutputTopic('app-counts-repartition', text)
    assert.deepEqual(repartition.readValuesToList(), ['a', 'b', 'b'])
    const changelog = driver.createOutputTopic('app-counts-changelog', counted)
    assert.deepEqual(
      changelog.readKeyValuesToMap(),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    )
    assert.equal(changelog.isEmpty, true)
  })

  test('a repartition topic can be piped into', async () => {
    await using driver = await TopologyTestDriver.open(wordCount())
    await driver.createInputTopic('test-driver-counts-repartition', text).pipeInput('key', 'any', 3)
    assert.deepEqual(driver.createOutputTopic('counted', counted).readKeyValue(), { key: 'key', value: 1 })
  })

  test("an input topic's own time starts at the wall clock, and advances when it is told", async () => {
    const topology = defineTopology((builder) => builder.stream('in', text).to('out'))
    await using driver = await TopologyTestDriver.open(topology, { initialWallClockTimeMs: 1_000 })
    await driver.advanceWallClockTime(500)
    const input = driver.createInputTopic('in', text)
    const output = driver.createOutputTopic('out', text)
    await input.pipeValue('a')
    input.advanceTime(20)
    await input.pipeInput(null, null)
    assert.deepEqual(
      output.readRecordsToList().map(({ key, value, timestamp }) => [key, value, timestamp]),
      [
        [null, 'a', 1_500],
        [null, null, 1_520],
      ],
    )
  })

  test('a topic that a pattern matches is an input topic; one that several match is refused', async () => {
    const topology = defineTopology((builder) => {
      builder.stream(/in-.*/, text).to('out')
      builder.stream(/.*-x/, text).to('other')
    })
    await using driver = await TopologyTestDriver.open(topology)
    assert.throws(() => driver.createInputTopic('out', text), {
      message: 'there is no input topic out; the topology reads: /in-.*/, /.*-x/',
    })
    await driver.createInputTopic('in-1', text).pipeInput('k', 'v')
    await driver.createInputTopic('one-x', text).pipeInput('k', 'w')
    assert.deepEqual(driver.createOutputTopic('out', text).readKeyValuesToList(), [{ key: 'k', value: 'v' }])
    assert.deepEqual(driver.createOutputTopic('other', text).readKeyValuesToList(), [
      { key: 'k', value: 'w' },
    ])
    await assert.rejects(driver.createInputTopic('in-x', text).pipeInput('k', 'v'), {
      message: /^topic in-x matches the patterns of two sources: in-\.\* of KSTREAM-SOURCE-0000000000 and /,
    })
  })

  test('calls that are not awaited run in order', async () => {
    await using driver = await TopologyTestDriver.open(wordCount())
    const lines = driver.createInputTopic('lines', text)
    const output = driver.createOutputTopic('counted', counted)
    const all = Promise.all(['a', 'b', 'a'].map((line) => lines.pipeInput(null, line)))
    assert.throws(() => output.readRecord(), /there is no record to read; what was piped is still under way/)
    await all
    assert.deepEqual(output.readKeyValuesToList(), [
      { key: 'a', value: 1 },
      { key: 'b', value: 1 },
      { key: 'a', value: 2 },
    ])
  })
})

/** Forwards what its store has for every key, when told so by time. */
class Reporter implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>

  init(context: ProcessorContext<string, string>): void {
    this.#context = context
    const tell = (kind: string) => (timestamp: number) => {
      const store = context.stateStore<TimestampedKeyValueStore<string, string>>('seen')
      using rows = store.all()
      const values = [...rows].map(({ key, value }) => `${key}=${value.value}`).join()
      context.forward({ key: kind, value: values, timestamp, headers: Headers.empty })
    }
    context.schedule({ intervalMs: 100, type: 'wall-clock-time' }, tell('wall'))
    context.schedule({ intervalMs: 1_000, type: 'stream-time' }, tell('stream'))
  }

  process({ key, value, timestamp }: StreamRecord<string, string>): void {
    if (value === 'fail') throw new Error('told to')
    this.#context.stateStore<TimestampedKeyValueStore<string, string>>('seen').put(key, { value, timestamp })
  }
}

const reporting = (): Topology =>
  new Topology()
    .addSource('source', { topics: 'in', ...text })
    .addProcessor('reporter', () => new Reporter(), { parents: 'source' })
    .addStateStore(stores.timestampedKeyValue({ name: 'seen', ...text }), 'reporter')
    .addSink('sink', { parents: 'reporter', topic: 'out', ...text })

describe('time', () => {
  test('punctuators run by the wall clock that the test moves, and by the records', async () => {
    await using driver = await TopologyTestDriver.open(reporting(), { initialWallClockTimeMs: 50_000 })
    const input = driver.createInputTopic('in', text)
    const output = driver.createOutputTopic('out', text)
    await input.pipeInput('a', 'x', 10)
    await driver.advanceWallClockTime(99)
    await input.pipeInput('b', 'y', 500)
    await driver.advanceWallClockTime(1)
    await driver.advanceWallClockTime(350)
    await input.pipeInput('a', 'z', 1_200)
    assert.equal(driver.wallClockTimeMs, 50_450)
    assert.deepEqual(
      output.readRecordsToList().map(({ key, value, timestamp }) => [key, value, timestamp]),
      [
        ['stream', 'a=x', 10],
        ['wall', 'a=x,b=y', 50_100],
        ['wall', 'a=x,b=y', 50_450],
        ['stream', 'a=z,b=y', 1_200],
      ],
    )
  })
})

describe('stores', () => {
  const everyType = (): Topology => {
    const segmented = { ...text, retentionMs: 100_000 }
    const topology = new Topology()
      .addSource('source', { topics: 'in', ...text })
      .addProcessor('none', () => ({ process() {} }), { parents: 'source' })
    for (const store of [
      stores.keyValue({ name: 'plain', ...text }),
      stores.timestampedKeyValue({ name: 'timestamped', ...text }),
      stores.window({ name: 'window', ...segmented, windowSizeMs: 10 }),
      stores.timestampedWindow({ name: 'timestamped-window', ...segmented, windowSizeMs: 10 }),
      stores.session({ name: 'session', ...segmented }),
      stores.versioned({ name: 'versioned', ...text, historyRetentionMs: 100_000 }),
    ])
      topology.addStateStore(store, 'none')
    return topology
  }

  test('are there by their types, to be read and filled; what a test puts survives a commit', async () => {
    await using driver = await TopologyTestDriver.open(everyType())
    const plain = driver.keyValueStore<string, string>('plain')
    const timestamped = driver.timestampedKeyValueStore<string, string>('timestamped')
    const values = driver.keyValueStore<string, string>('timestamped')
    plain.put('a', '1')
    timestamped.put('a', { value: '1', timestamp: 9 })
    values.put('b', '2')
    values.delete('a')
    driver.windowStore<string, string>('window').put('a', '1', 20)
    driver.timestampedWindowStore<string, string>('timestamped-window').update('a', '1', 5, 20)
    driver.sessionStore<string, string>('session').put({ key: 'a', window: { start: 1, end: 2 } }, '1')
    driver.versionedStore<string, string>('versioned').put('a', '1', 7)
    await driver.createInputTopic('in', text).pipeInput('k', 'v', 1)
    assert.equal(plain.get('a'), '1')
    assert.deepEqual([...values.all()], [{ key: 'b', value: '2' }])
    assert.deepEqual(timestamped.get('b'), { value: '2', timestamp: -1 })
    assert.equal(driver.windowStore<string, string>('window').fetch('a', 20), '1')
    assert.equal(driver.sessionStore<string, string>('session').fetchSession('a', 1, 2), '1')
    assert.equal(driver.versionedStore<string, string>('versioned').get('a')?.value, '1')
    assert.deepEqual([...driver.allStateStores().keys()].sort(), [
      'plain',
      'session',
      'timestamped',
      'timestamped-window',
      'versioned',
      'window',
    ])
    assert.equal(driver.stateStore('session').name, 'session')
  })

  test('of another type, or of another name, are refused', async () => {
    await using driver = await TopologyTestDriver.open(everyType())
    assert.throws(() => driver.windowStore('session'), {
      name: 'TypeError',
      message: 'store session is a session store: ask for it by sessionStore',
    })
    assert.throws(
      () => driver.keyValueStore('window'),
      /store window is a window store: ask for it by windowStore/,
    )
    assert.throws(() => driver.keyValueStore('wordz'), {
      name: 'RangeError',
      message:
        'there is no store wordz; the topology has: plain, timestamped, window, timestamped-window, session, versioned',
    })
  })

  test('with caching forward after each record', async () => {
    await using driver = await TopologyTestDriver.open(wordCount({ caching: true }))
    const output = driver.createOutputTopic('counted', counted)
    const repartition = driver.createInputTopic('test-driver-counts-repartition', text)
    await repartition.pipeInput('a', '', 1)
    assert.equal(output.queueSize, 1)
    await repartition.pipeInput('a', '', 2)
    assert.deepEqual(output.readValuesToList(), [1, 2])
  })

  test('that hardly fit into the cache are read back from their bytes', async () => {
    await using driver = await TopologyTestDriver.open(wordCount(), { statestoreCacheMaxBytes: 0 })
    const lines = driver.createInputTopic('lines', text)
    for (let round = 0; round < 3; round++) await lines.pipeValue('a b c')
    assert.deepEqual(
      [...driver.keyValueStore<string, number>('counts').all()],
      ['a', 'b', 'c'].map((key) => ({ key, value: 3 })),
    )
  })
})

describe('what is refused, in one line', () => {
  const open = () => TopologyTestDriver.open(wordCount())

  test('what is no topology, and options that are unknown or wrong', async () => {
    await assert.rejects(TopologyTestDriver.open('word-count.ts' as never), {
      message:
        'TopologyTestDriver: a topology is expected (what defineTopology returns, or a Topology), not a string',
    })
    await assert.rejects(TopologyTestDriver.open(wordCount(), { appId: 'x' } as never), {
      message:
        /^TopologyTestDriver: unknown option appId; allowed: applicationId, .*, stateDir, statestoreCacheMaxBytes, /,
    })
    await assert.rejects(
      TopologyTestDriver.open(wordCount(), { initialWallClockTimeMs: -1 }),
      /initialWallClockTimeMs is -1; allowed is a whole number of ms from 0/,
    )
    await assert.rejects(
      TopologyTestDriver.open(wordCount(), { statestoreCacheMaxBytes: 0.5 }),
      /statestoreCacheMaxBytes is 0.5; allowed is a whole number from 0/,
    )
  })

  test('unknown topics', async () => {
    await using driver = await open()
    assert.throws(() => driver.createInputTopic('counted', text), {
      name: 'RangeError',
      message: 'there is no input topic counted; the topology reads: lines, test-driver-counts-repartition',
    })
    assert.throws(() => driver.createOutputTopic('lines2', text), {
      name: 'RangeError',
      message:
        'there is no output topic lines2; the topology has the topics: test-driver-counts-changelog, test-driver-counts-repartition, counted, lines',
    })
  })

  test('wrong serdes and timestamps', async () => {
    await using driver = await open()
    assert.throws(
      () => driver.createInputTopic('lines', { key: serdes.string } as never),
      /input topic lines: value must be a serde, not undefined/,
    )
    assert.throws(
      () => driver.createInputTopic('lines', { ...text, startTime: 1 } as never),
      /input topic lines: unknown option startTime; allowed: key, value, startTimestamp, autoAdvanceMs/,
    )
    const numbers = driver.createInputTopic('lines', {
      key: serdes.string,
      value: serdes.int64 as Serde<unknown>,
    })
    await assert.rejects(
      numbers.pipeInput('a', 'text'),
      /^TypeError: input topic lines: the value cannot be written as int64: /,
    )
    await assert.rejects(
      numbers.pipeInput('a', 1, 1.5),
      /^RangeError: input topic lines: timestamp is 1.5; allowed/,
    )
    // Nothing of that has come as far as the topology.
    await driver.createInputTopic('lines', text).pipeInput('a', 'b')
    const output = driver.createOutputTopic('counted', { key: serdes.string, value: serdes.int32 })
    assert.throws(() => output.readRecord(), {
      name: 'TypeError',
      message: /^output topic counted: the value \(8 bytes\) is no int32: /,
    })
  })

  test('reading when there is nothing', async () => {
    await using driver = await open()
    const output = driver.createOutputTopic('counted', counted)
    assert.throws(() => output.readValue(), {
      name: 'RangeError',
      message: 'output topic counted: there is no record to read',
    })
    assert.deepEqual(output.readRecordsToList(), [])
  })

  test('use after close', async () => {
    const driver = await open()
    const lines = driver.createInputTopic('lines', text)
    const output = driver.createOutputTopic('counted', counted)
    await driver.close()
    await driver.close()
    const closed = { code: 'closed', message: 'the TopologyTestDriver is closed: open another' }
    await assert.rejects(lines.pipeValue('a'), closed)
    await assert.rejects(driver.advanceWallClockTime(1), closed)
    assert.throws(() => output.isEmpty, closed)
    assert.throws(() => driver.stateStore('counts'), closed)
    assert.throws(() => driver.createInputTopic('lines', text), closed)
    assert.throws(() => driver.producedTopicNames(), closed)
  })

  test('use after the topology has failed; what it had put out can still be read', async () => {
    await using driver = await TopologyTestDriver.open(reporting())
    const input = driver.createInputTopic('in', text)
    await input.pipeInput('a', 'b', 1)
    await assert.rejects(input.pipeInput('a', 'fail', 2), {
      code: 'processing-failed',
      message: 'in partition 0 offset 1, processor reporter: told to',
    })
    await assert.rejects(input.pipeInput('a', 'b', 3), {
      code: 'closed',
      message: /^the TopologyTestDriver has failed and takes no more: in partition 0 offset 1/,
    })
    await assert.rejects(driver.advanceWallClockTime(1), { code: 'closed' })
    assert.equal(driver.createOutputTopic('out', text).readRecord().timestamp, 1)
    assert.equal(driver.keyValueStore('seen').get('a'), 'b')
  })

  test('bytes that the source cannot read', async () => {
    const topology = defineTopology((builder) =>
      builder.stream('in', counted).mapValues(String).to('out', { value: serdes.string }),
    )
    await using driver = await TopologyTestDriver.open(topology)
    await assert.rejects(driver.createInputTopic('in', text).pipeInput('a', 'abc'), {
      code: 'deserialization-failed',
      message: /^in partition 0 offset 0: the value \(3 bytes\) is no int64/,
    })
  })

  test('a processor whose init throws', async () => {
    const topology = new Topology().addSource('source', { topics: 'in', ...text }).addProcessor(
      'bad',
      () => ({
        init() {
          throw new Error('no luck')
        },
        process() {},
      }),
      { parents: 'source' },
    )
    const stateDir = join(folder, 'init')
    await assert.rejects(TopologyTestDriver.open(topology, { stateDir }), {
      code: 'processing-failed',
      message: /processor bad: no luck/,
    })
    assert.deepEqual(readdirSync(stateDir), [])
  })
})

describe('a thousand drivers in one process', () => {
  const withoutStores = defineTopology((builder) => builder.stream('lines', text).to('counted'))

  for (const [name, topology] of [
    ['with a store on disk', wordCount()],
    ['without stores', withoutStores],
  ] as const) {
    test(`${name}: nothing is left of them`, async () => {
      const stateDir = join(folder, name)
      const drive = async (): Promise<void> => {
        await using driver = await TopologyTestDriver.open(topology, { stateDir })
        await driver.createInputTopic('lines', text).pipeInput('key', 'a b a')
        assert.equal(driver.createOutputTopic('counted', text).isEmpty, false)
      }
      await drive()
      const before = await settledObjects()
      // Some at a time, as the tests of a file that run concurrently.
      for (let round = 0; round < 100; round++) await Promise.all(Array.from({ length: 10 }, drive))
      assert.deepEqual(readdirSync(stateDir), [])
      assert.ok((await settledObjects()) <= before)
    })
  }
})

/** Native objects, after those that nobody refers to have gone. */
async function settledObjects(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  for (let round = 0; round < 5; round++) {
    collectGarbage()
    await setImmediate()
  }
  return nativeObjects()
}
