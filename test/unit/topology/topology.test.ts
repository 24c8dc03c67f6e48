import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { decisionFor } from '../../../src/errors/decision.ts'
import type { AsyncProcessor } from '../../../src/process/async-processor.ts'
import type { Processor } from '../../../src/process/processor.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'
import { Topology } from '../../../src/topology/topology.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'

const text = { key: serdes.string, value: serdes.string }
const processor = (): Processor => ({ process() {} })
const waiting = (): AsyncProcessor => ({ process: async () => {} })
const store = (name: string): StoreDefinition => stores.keyValue({ name, ...text })
const windows = { retentionMs: 20, windowSizeMs: 10 }
const withSource = (): Topology => new Topology().addSource('in', { topics: 'words', ...text })
const withProcessor = (): Topology => withSource().addProcessor('p', processor, { parents: 'in' })

class Counter implements Processor {
  process(): void {}
}

describe('what cannot be is refused with one line', () => {
  const shared = processor()
  const refused: Readonly<Record<string, readonly [define: () => unknown, message: string]>> = {
    'a node twice': [
      () => withSource().addProcessor('in', processor, { parents: 'in' }),
      'processor in: there is a source of that name already',
    ],
    'a topic twice': [
      () => withSource().addSource('again', { topics: ['other', 'words'], ...text }),
      'source again: topic words is read by source in already',
    ],
    'a pattern that matches a topic of another source': [
      () => withSource().addSource('again', { topics: /w.*/, ...text }),
      'source again: the pattern w.* matches topic words, which source in reads already',
    ],
    'a topic that matches the pattern of another source': [
      () =>
        new Topology()
          .addSource('in', { topics: /w.*|x/, ...text })
          .addSource('again', { topics: ['awords', 'words'], ...text }),
      'source again: topic words matches the pattern w.*|x of source in; a topic is read by one source',
    ],
    'an empty pattern': [
      () => new Topology().addSource('in', { topics: /(?:)/, ...text }),
      "source in: the pattern is empty: it matches no topic's name",
    ],
    'a pattern for a global store': [
      () =>
        new Topology().addGlobalStore(stores.keyValue({ name: 'all', ...text }), processor, {
          topic: /w.*/ as never,
          source: 'in',
          processor: 'fill',
          ...text,
        }),
      'global store all: topic must be text, not an object',
    ],
    'no topic': [
      () => new Topology().addSource('in', { topics: [], ...text }),
      'source in: topics is empty; allowed is at least one',
    ],
    'a topic that Kafka has not': [
      () => new Topology().addSource('in', { topics: 'no blanks', ...text }),
      "source in: a topic is \"no blanks\"; allowed are letters, digits, '.', '_' and '-'",
    ],
    'a topic of too many characters': [
      () => new Topology().addSource('in', { topics: 'a'.repeat(250), ...text }),
      'source in: a topic has 250 characters; allowed are up to 249',
    ],
    'no serde': [
      () => new Topology().addSource('in', { topics: 'words', key: serdes.string } as never),
      'source in: value must be a serde, not undefined',
    ],
    'json not called': [
      () =>
        new Topology().addSource('in', { topics: 'words', key: serdes.string, value: serdes.json as never }),
      'source in: value must be a serde, not a function (serdes.json is called: serdes.json())',
    ],
    'an offset reset that is none': [
      () => new Topology().addSource('in', { topics: 'words', ...text, offsetReset: 'first' as never }),
      'source in: offsetReset is first; allowed: earliest, latest, none',
    ],
    'a misspelled option': [
      () => new Topology().addSource('in', { topic: 'words', ...text } as never),
      'source in: unknown option topic; allowed: topics, key, value, offsetReset, timestampExtractor',
    ],
    'no options': [
      () => withSource().addProcessor('p', processor, undefined as never),
      'processor p: the options must be an object with parents, stores, preservesKey, readsByKey',
    ],
    'no name': [
      () => new Topology().addSource('', { topics: 'words', ...text }),
      "a source's name must be text, not a string",
    ],
    'a parent that is not there': [
      () => withSource().addProcessor('p', processor, { parents: ['in', 'nowhere'] }),
      'processor p: there is no node nowhere to be its parent; parents are added before, and no node is above itself',
    ],
    'a node above itself': [
      () => withSource().addProcessor('p', processor, { parents: ['in', 'p'] }),
      'processor p: there is no node p to be its parent; parents are added before, and no node is above itself',
    ],
    'no parent': [
      () => withSource().addProcessor('p', processor, { parents: [] }),
      'processor p: parents is empty; allowed is at least one node',
    ],
    'a sink as a parent': [
      () =>
        withSource()
          .addSink('out', { parents: 'in', topic: 'out', ...text })
          .addProcessor('p', processor, { parents: 'out' }),
      'processor p: sink out cannot be a parent',
    ],
    'a store that is not there': [
      () => withSource().addProcessor('p', processor, { parents: 'in', stores: ['counts'] }),
      'processor p: there is no store counts',
    ],
    'a store twice': [
      () => withProcessor().addStateStore(store('s'), 'p').addStateStore(store('s'), 'p'),
      'store s is added twice',
    ],
    'a store for a source': [
      () => withSource().addStateStore(store('s'), 'in'),
      'source in can have no stores; only processors can',
    ],
    'a store for nobody': [
      () => withProcessor().addStateStore(store('s')).build(),
      'store s is connected to no processor',
    ],
    'a store for a processor that is not there': [
      () => withSource().addStateStore(store('s'), 'p'),
      'stores s: there is no processor p',
    ],
    'a store that is none': [
      () => withProcessor().addStateStore('s' as never, 'p'),
      'addStateStore: the store (made by stores.keyValue and the like) must be text, not undefined',
    ],
    'rows fetched from a store that is not connected': [
      () =>
        withSource()
          .addProcessor('p', processor, { parents: 'in', readsByKey: ['s'] })
          .build(),
      'processor p: readsByKey has s, which is none of its stores',
    ],
    'no source': [() => new Topology().build(), 'the topology has no source'],
    'a class for a supplier': [
      () => withSource().addProcessor('p', Counter as never, { parents: 'in' }),
      "processor p: the supplier threw Class constructor Counter cannot be invoked without 'new' (give a function that makes a new one: () => new ...)",
    ],
    'a supplier that throws': [
      () =>
        withSource().addProcessor(
          'p',
          () => {
            throw new Error('not\ntoday')
          },
          { parents: 'in' },
        ),
      'processor p: the supplier threw not today',
    ],
    'an async supplier of something that does not process': [
      () => withSource().addAsyncProcessor('p', () => ({}) as never, { parents: 'in' }),
      'processor p: the supplier must return an object with process(record, context), not an object',
    ],
    'an async processor that cannot complete': [
      () =>
        withSource().addAsyncProcessor('p', () => ({ ...waiting(), complete: 1 }) as never, {
          parents: 'in',
        }),
      'processor p: the supplier must return an object with complete(record, result, context), or none, not an object',
    ],
    'no place for promises': [
      () => withSource().addAsyncProcessor('p', waiting, { parents: 'in', concurrency: 0 }),
      'processor p: concurrency is 0; allowed is a whole number from 1 to 10000',
    ],
    'an async processor of another option': [
      () => withSource().addAsyncProcessor('p', waiting, { parents: 'in', limit: 1 } as never),
      'processor p: unknown option limit; allowed: parents, stores, preservesKey, readsByKey, concurrency',
    ],
    'an async processor below a store': [
      () =>
        withProcessor()
          .addStateStore(store('s'), 'p')
          .addProcessor('q', processor, { parents: 'p' })
          .addAsyncProcessor('a', waiting, { parents: 'q' })
          .build(),
      'processor a is async, and below p, which has stores (s): put a repartition topic between them (in the DSL: repartition())',
    ],
    'an async processor below another': [
      () =>
        withSource()
          .addAsyncProcessor('a', waiting, { parents: 'in' })
          .addAsyncProcessor('b', waiting, { parents: 'a' })
          .build(),
      'processor b is async, and below a, which is async, too: put a repartition topic between them (in the DSL: repartition())',
    ],
    'a supplier of one processor': [
      () => withSource().addProcessor('p', () => shared, { parents: 'in' }),
      'processor p: the supplier returned the same processor twice; it must make a new one at each call',
    ],
    'a supplier of nothing': [
      () => withSource().addProcessor('p', (() => {}) as never, { parents: 'in' }),
      'processor p: the supplier must return an object with process(record, context), not undefined',
    ],
    'a partitioner that is no function': [
      () => withSource().addSink('out', { parents: 'in', topic: 'out', ...text, partitioner: 3 as never }),
      'sink out: partitioner must be a function, not a number',
    ],
    'a chooser without topics': [
      () => withSource().addSink('out', { parents: 'in', topic: () => 'x', ...text }),
      'sink out: a function chooses the topic: give { topics } that it may choose',
    ],
    'a chooser of no topics': [
      () => withSource().addSink('out', { parents: 'in', topic: () => 'x', topics: [], ...text }),
      'sink out: topics is empty; allowed is at least one topic',
    ],
    'topics without a chooser': [
      () => withSource().addSink('out', { parents: 'in', topic: 'x', topics: ['y'], ...text }),
      'sink out: topics are given, but topic is none that chooses: it is x',
    ],
    'a store with a wrong name': [
      () => store('a/b'),
      "stores.keyValue: name is \"a/b\"; allowed are letters, digits, '.', '_' and '-'",
    ],
    'a store with a misspelled option': [
      () => stores.timestampedKeyValue({ name: 's', ...text, loging: false } as never),
      'stores.timestampedKeyValue: unknown option loging; allowed: name, key, value, logging, changelogConfig, rocksdb, inMemory, entriesMax, caching',
    ],
    'a store with no room': [
      () => stores.keyValue({ name: 's', ...text, entriesMax: 0 }),
      'store s: entriesMax is 0; allowed is a whole number from 1',
    ],
    'a limit of a persistent store': [
      () => stores.keyValue({ name: 's', ...text, entriesMax: 5, inMemory: false }),
      'store s: entriesMax is given, but inMemory is false; only stores in memory have it',
    ],
    'caching that is no boolean': [
      () => stores.keyValue({ name: 's', ...text, caching: 'yes' as never }),
      'store s: caching must be true or false, not a string',
    ],
    'a changelog for a store without one': [
      () => stores.keyValue({ name: 's', ...text, logging: false, changelogConfig: { 'segment.ms': '1' } }),
      'store s: changelogConfig is given, but logging is false',
    ],
    'a window store with a misspelled option': [
      () => stores.window({ name: 's', ...text, ...windows, retention: 1 } as never),
      'stores.window: unknown option retention; allowed: name, key, value, logging, changelogConfig, rocksdb, retentionMs, inMemory, caching, windowSizeMs, retainDuplicates',
    ],
    'a window store that forgets before a window ends': [
      () => stores.timestampedWindow({ name: 's', ...text, retentionMs: 9, windowSizeMs: 10 }),
      'store s: retentionMs is 9; it must be no less than windowSizeMs, which is 10',
    ],
    'a window store without a size': [
      () => stores.window({ name: 's', ...text, retentionMs: 9 } as never),
      'store s: windowSizeMs must be a whole number of milliseconds from 0, not undefined',
    ],
    'duplicates that are neither retained nor not': [
      () => stores.window({ name: 's', ...text, ...windows, retainDuplicates: 1 as never }),
      'store s: retainDuplicates must be true or false, not a number',
    ],
    'a session store with a window size': [
      () => stores.session({ name: 's', ...text, ...windows } as never),
      'stores.session: unknown option windowSizeMs; allowed: name, key, value, logging, changelogConfig, rocksdb, retentionMs, inMemory, caching',
    ],
    'a session store with half a millisecond': [
      () => stores.session({ name: 's', ...text, retentionMs: 0.5 }),
      'store s: retentionMs must be a whole number of milliseconds from 0, not 0.5',
    ],
    "a setting of RocksDB's that would lose state": [
      () => stores.keyValue({ name: 's', ...text, rocksdb: { compaction_filter: 'x' } }),
      'store s: rocksdb: compaction_filter cannot be set: it would drop state',
    ],
    "a setting of RocksDB's that is malformed": [
      () => stores.window({ name: 's', ...text, ...windows, rocksdb: { block_size: '1' } }),
      'store s: rocksdb: block_size=1: expected bytes, at least 1 KiB (plain, or as in 64KiB, 512MiB, 2GiB)',
    ],
    "settings of RocksDB's for rows in memory": [
      () => stores.keyValue({ name: 's', ...text, inMemory: true, rocksdb: { block_size: 8192 } }),
      'store s: rocksdb is given, but its rows are in memory',
    ],
    "settings of RocksDB's for windows in memory": [
      () => stores.window({ name: 's', ...text, ...windows, inMemory: true, rocksdb: { block_size: 8192 } }),
      'store s: rocksdb is given, but its rows are in memory',
    ],
    'a changelog setting that is no text': [
      () => stores.keyValue({ name: 's', ...text, changelogConfig: { 'segment.ms': 1 as never } }),
      'store s: changelogConfig: segment.ms must be text, not a number',
    ],
  }
  for (const [what, [define, message]] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(define, (error: Error) => {
        assert.ok(error instanceof TopologyError)
        assert.equal(error.message, message)
        assert.deepEqual([decisionFor(error).code, decisionFor(error).exitCode], ['topology-invalid', 2])
        return true
      })
    })
  }
})

test('nodes, stores and topics of each sub-topology, in order of definition', () => {
  const counts = store('counts')
  const topology = withSource()
    .addSource('others', { topics: ['x', 'y'], ...text, offsetReset: 'latest' })
    .addProcessor('q', processor, { parents: 'others' })
    .addProcessor('p', processor, { parents: 'in', preservesKey: true, readsByKey: ['counts'] })
    .addStateStore(counts, 'p')
    .addStateStore(counts)
    .addSink('out', { parents: ['p', 'p'], topic: 'out', ...text })
  const [first, second] = topology.build().subtopologies
  assert.deepEqual(
    [first, second].map((subtopology) => [
      subtopology!.id,
      subtopology!.nodes.map(({ name }) => name),
      subtopology!.sourceTopics,
    ]),
    [
      [0, ['in', 'p', 'out'], ['words']],
      [1, ['others', 'q'], ['x', 'y']],
    ],
  )
  assert.deepEqual([first!.stores, second!.stores], [[counts], []])
  assert.deepEqual(first!.nodes[2], { kind: 'sink', name: 'out', parents: ['p'], topic: 'out', ...text })
  assert.deepEqual(second!.nodes[0], {
    kind: 'source',
    name: 'others',
    topics: ['x', 'y'],
    ...text,
    offsetReset: 'latest',
  })
  assert.equal(topology.build(), topology.build(), 'built once')
  const before = topology.build()
  topology.addSource('late', { topics: 'late', ...text })
  assert.equal(topology.build().subtopologies.length, 3, 'and again after a change')
  assert.equal(before.subtopologies.length, 2)
})

test('topics whose sources are joined need the same number of partitions; groups that share one are one', () => {
  const topology = new Topology()
  for (const name of ['a', 'b', 'c', 'd', 'e']) topology.addSource(name, { topics: `topic-${name}`, ...text })
  topology
    .addProcessor('all', processor, { parents: ['a', 'b', 'c', 'd', 'e'] })
    .copartitionSources(['a', 'b'])
    .copartitionSources(['d', 'c'])
    .copartitionSources(['e'])
    .copartitionSources(['b', 'd'])
  const groups = topology.build().subtopologies[0]!.copartitionGroups
  assert.deepEqual(
    groups.map((group) => [...group].sort()),
    [['topic-a', 'topic-b', 'topic-c', 'topic-d']],
  )
  topology
    .addRepartitionTopic('topic-a', 2)
    .addRepartitionTopic('topic-c', 3)
    .addRepartitionTopic('topic-b', null)
  assert.throws(() => topology.build(), {
    message: 'topics that are joined need the same number of partitions: topic-a has 2, topic-c has 3',
  })
})

test('async processors may stand beside each other, and beside and above stores', () => {
  const topology = withSource()
    .addProcessor('route', processor, { parents: 'in' })
    .addAsyncProcessor('a', waiting, { parents: 'route' })
    .addAsyncProcessor('b', waiting, { parents: ['route', 'in'] })
    .addProcessor('p', processor, { parents: ['a', 'b', 'in'] })
    .addStateStore(store('s'), 'a', 'b', 'p')
  assert.equal(topology.build().subtopologies.length, 1)
})
