import assert from 'node:assert/strict'
import test from 'node:test'

import {
  BufferConfig,
  defineTopology,
  JoinWindows,
  minutes,
  Suppressed,
  seconds,
  serdes,
  TimeWindows,
  type Windowed,
} from '../../../src/index.ts'
import { LocalSchemaRegistry, TopologyTestDriver } from '../../../src/testing/index.ts'

interface UserKey {
  readonly id: number
}
interface View {
  readonly user: number
  readonly page: string
}
interface Page {
  readonly title: string
}

const record = (name: string, fields: Record<string, unknown>) => ({
  type: 'record',
  name: `test.${name}`,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
})
const userKey = serdes.avro<UserKey>(record('UserKey', { id: 'int' }))
const view = serdes.avro<View>(record('View', { user: 'int', page: 'string' }))
const page = serdes.avro<Page>(record('Page', { title: 'string' }))
const count = serdes.avro<number>('int')

test('keys and values of an aggregate, a table and a repartition topic are Avro', async () => {
  const topology = defineTopology((builder) => {
    builder
      .stream('views', { key: serdes.string, value: view })
      .selectKey(({ value }) => ({ id: value!.user }))
      .groupByKey({ key: userKey })
      .reduce((one, other) => ({ user: one.user, page: `${one.page}+${other.page}` }), { store: 'pages' })
      .toStream()
      .to('pages')
  })
  const registry = new LocalSchemaRegistry()
  await using driver = await TopologyTestDriver.open(topology, { schemaRegistry: registry })
  const views = driver.createInputTopic('views', { key: serdes.string, value: view })
  const pages = driver.createOutputTopic('pages', { key: userKey, value: view })
  await views.pipeInput('x', { user: 1, page: 'a' })
  await views.pipeInput('y', { user: 1, page: 'b' })
  assert.deepEqual(pages.readKeyValuesToList(), [
    { key: { id: 1 }, value: { user: 1, page: 'a' } },
    { key: { id: 1 }, value: { user: 1, page: 'a+b' } },
  ])
  const subjects = [
    'views-value',
    'pages-key',
    'test-driver-pages-repartition-key',
    'test-driver-pages-changelog-value',
  ]
  for (const subject of subjects) assert.ok(registry.latestNow(subject) !== null, subject)
  const store = driver.keyValueStore<UserKey, View>('pages')
  assert.deepEqual(store.get({ id: 1 }), { user: 1, page: 'a+b' })
  using rows = store.all()
  assert.deepEqual([...rows], [{ key: { id: 1 }, value: { user: 1, page: 'a+b' } }])
})

test('a foreign-key join of Avro tables, whose keys are Avro too', async () => {
  const topology = defineTopology((builder) => {
    const views = builder.table('views', { key: userKey, value: view, store: 'views' })
    const pages = builder.table('pages', { key: serdes.avro<string>('string'), value: page, store: 'pages' })
    views
      .join(pages, (left, right) => ({ title: `${left.user}: ${right.title}` }), {
        foreignKey: (left) => left.page,
      })
      .toStream()
      .to('titles', { value: page })
  })
  const registry = new LocalSchemaRegistry()
  await using driver = await TopologyTestDriver.open(topology, { schemaRegistry: registry })
  const views = driver.createInputTopic('views', { key: userKey, value: view })
  const pages = driver.createInputTopic('pages', { key: serdes.avro<string>('string'), value: page })
  const titles = driver.createOutputTopic('titles', { key: userKey, value: page })
  await views.pipeInput({ id: 1 }, { user: 1, page: 'home' })
  await pages.pipeInput('home', { title: 'Home' })
  await pages.pipeInput('home', { title: 'House' })
  await views.pipeInput({ id: 1 }, null)
  assert.deepEqual(titles.readKeyValuesToList(), [
    { key: { id: 1 }, value: { title: '1: Home' } },
    { key: { id: 1 }, value: { title: '1: House' } },
    { key: { id: 1 }, value: null },
  ])
  // Two kinds of keys in one changelog: no subject has both.
  const changelog = registry.subjects.filter((subject) => subject.includes('SUBSCRIPTION-STATE-STORE'))
  assert.deepEqual(changelog.map((subject) => subject.replace(/.*-changelog-/, '')).sort(), [
    'fk-key',
    'pk-key',
    'value',
  ])
})

test('windows, their suppression, and an outer join', async () => {
  const windowSizeMs = minutes(1)
  const windowed = serdes.timeWindowed(userKey, windowSizeMs)
  const topology = defineTopology((builder) => {
    const views = builder.stream('views', { key: userKey, value: view })
    views
      .groupByKey()
      .windowedBy(TimeWindows.of({ sizeMs: windowSizeMs, graceMs: 0 }))
      .count({ store: 'counts', value: count })
      .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
      .toStream()
      .to('counts', { key: windowed, value: count })
    views
      .outerJoin(
        builder.stream('clicks', { key: userKey, value: page }),
        (left, right) => ({ title: `${left?.page ?? '-'} ${right?.title ?? '-'}` }),
        JoinWindows.of({ timeDifferenceMs: seconds(10), graceMs: 0 }),
        { otherValue: page },
      )
      .to('both', { value: page })
  })
  await using driver = await TopologyTestDriver.open(topology)
  const views = driver.createInputTopic('views', { key: userKey, value: view })
  const clicks = driver.createInputTopic('clicks', { key: userKey, value: page })
  const counts = driver.createOutputTopic<Windowed<UserKey>, number>('counts', {
    key: windowed,
    value: count,
  })
  const both = driver.createOutputTopic('both', { key: userKey, value: page })
  await views.pipeInput({ id: 1 }, { user: 1, page: 'a' }, 1_000)
  await clicks.pipeInput({ id: 1 }, { title: 'T' }, 2_000)
  await clicks.pipeInput({ id: 2 }, { title: 'U' }, 3_000)
  await views.pipeInput({ id: 3 }, { user: 3, page: 'c' }, 100_000)
  assert.deepEqual(both.readValuesToList(), [{ title: 'a T' }, { title: '- U' }])
  assert.deepEqual(counts.readKeyValuesToList(), [
    { key: { key: { id: 1 }, window: { start: 0, end: windowSizeMs } }, value: 1 },
  ])
})

test('a bad record fails with what is wrong and where', async () => {
  const topology = defineTopology((builder) => {
    builder
      .stream('views', { key: serdes.string, value: view })
      .mapValues((value) => value.page)
      .to('pages', { value: serdes.string })
  })
  const open = () => TopologyTestDriver.open(topology)
  for (const [bytes, message] of [
    [
      '{}',
      /^views partition 0 offset 0: the value \(2 bytes\) is no avro test.View: a magic byte and a schema id/,
    ],
    ['\0\0\0\0\x63x', /is no avro test.View: the schema registry has no schema of id 99/],
    ['\0\0\0\0\x01x', /is no avro test.View: the bytes end in the middle of a value/],
  ] as const) {
    await using driver = await open()
    driver.createInputTopic('views', { key: serdes.string, value: view })
    const raw = driver.createInputTopic('views', { key: serdes.string, value: serdes.bytes })
    await assert.rejects(raw.pipeInput('k', Buffer.from(bytes, 'latin1')), {
      code: 'deserialization-failed',
      message,
    })
  }
})

test('a value that cannot be written fails with its topic, and where in it', async () => {
  const topology = defineTopology((builder) => {
    builder
      .stream('pages', { key: serdes.string, value: serdes.string })
      .mapValues((title) => ({ title: title === 'bad' ? 5 : title }) as Page)
      .to('titles', { value: page })
  })
  await using driver = await TopologyTestDriver.open(topology)
  const pages = driver.createInputTopic('pages', { key: serdes.string, value: serdes.string })
  await assert.rejects(pages.pipeInput('k', 'bad'), {
    code: 'processing-failed',
    message: /the value for titles is no avro test.Page: title: 5 is no string$/,
  })
})

test('a sink that chooses among topics writes with the schema of each', async () => {
  const topology = defineTopology((builder) => {
    builder
      .stream('pages', { key: serdes.string, value: page })
      .mapValues((value) => (value.title === 'wrong' ? ({ title: 5 } as never) : value))
      .to(({ value }) => (value!.title === 'a' ? 'as' : 'others'), { topics: ['as', 'others'], value: page })
  })
  const registry = new LocalSchemaRegistry()
  registry.add('something', '"string"')
  await using driver = await TopologyTestDriver.open(topology, { schemaRegistry: registry })
  const pages = driver.createInputTopic('pages', { key: serdes.string, value: page })
  const others = driver.createOutputTopic('others', { key: serdes.string, value: page })
  await pages.pipeInput('k', { title: 'b' })
  assert.deepEqual(others.readValue(), { title: 'b' })
  assert.ok(registry.latestNow('as-value') !== null && registry.latestNow('others-value') !== null)
  await assert.rejects(pages.pipeInput('k', { title: 'wrong' }), {
    message: /the value for others is no avro test.Page: title: 5 is no string$/,
  })
})
