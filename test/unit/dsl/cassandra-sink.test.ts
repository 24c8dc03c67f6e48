import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { cassandra } from '../../../src/cassandra/cassandra.ts'
import { configFrom } from '../../../src/config/load.ts'
import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { checkCassandra } from '../../../src/runtime/prepare-cassandra.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { describeTopology } from '../../../src/topology/describe.ts'
import { Topology } from '../../../src/topology/topology.ts'
import { topologyGraph } from '../../../src/topology/topology-graph.ts'

const text = { key: serdes.string, value: serdes.string }
const profiles = cassandra.table({
  name: 'profiles',
  partitionKey: { user: 'text' },
  columns: { name: 'text' },
  map: (_: string, name: string) => ({ name }),
})

const built = (define: (builder: StreamsBuilder) => void) => defineTopology(define).build()

const settings = {
  applicationId: 'a',
  bootstrapServers: 'none:1',
  cassandraContactPoints: '127.0.0.1',
  cassandraLocalDatacenter: 'dc1',
  cassandraKeyspace: 'shop',
}
const exactlyOnce = configFrom({ ...settings, processingGuarantee: 'exactly_once_v2' })

describe('a stream to a table in Cassandra', () => {
  test('is a sink of its own kind', () => {
    const topology = built((builder) => builder.stream('names', text).to(profiles))
    assert.equal(
      describeTopology(topology),
      [
        'Topologies:',
        '   Sub-topology: 0',
        '    Source: KSTREAM-SOURCE-0000000000 (topics: [names])',
        '      --> CASSANDRA-SINK-0000000001',
        '    Sink: CASSANDRA-SINK-0000000001 (table: profiles)',
        '      <-- KSTREAM-SOURCE-0000000000',
        '',
        '',
      ].join('\n'),
    )
    const { subtopologies, topics } = topologyGraph(topology)
    assert.deepEqual(subtopologies[0]!.nodes[1], {
      kind: 'cassandra-sink',
      name: 'CASSANDRA-SINK-0000000001',
      predecessors: ['KSTREAM-SOURCE-0000000000'],
      successors: [],
      table: 'profiles',
    })
    assert.deepEqual(topics, [{ name: 'names', kind: 'external' }])
  })

  test('through a topic: that is written, and read by a sub-topology of its own', () => {
    const topology = built((builder) =>
      builder
        .stream('names', text)
        .groupByKey()
        .count({ store: 'counts' })
        .toStream()
        .mapValues(String)
        .to(profiles, { through: 'rows', value: serdes.string, name: 'profiles' }),
    )
    assert.deepEqual(
      topology.subtopologies.map(({ nodes }) => nodes.slice(-2).map(({ kind, name }) => `${kind} ${name}`)),
      [
        ['processor KSTREAM-MAPVALUES-0000000003', 'sink profiles-through'],
        ['source profiles-source', 'cassandra-sink profiles'],
      ],
    )
    assert.deepEqual(topology.subtopologies[1]!.sourceTopics, ['rows'])
    checkCassandra(topology, exactlyOnce)
  })

  test('exactly once: refused where an aborted transaction would have written', () => {
    const direct = built((builder) =>
      builder
        .stream('names', text)
        .filter(() => true)
        .to(profiles),
    )
    assert.throws(() => checkCassandra(direct, exactlyOnce), {
      code: 'topology-invalid',
      message:
        /^sink CASSANDRA-SINK-0000000002 writes to table profiles in Cassandra what a transaction may abort \(its sub-topology also has KSTREAM-FILTER-0000000001\): under exactly_once_v2 records have to go through a topic: to\(table, \{ through: 'topic' \}\)$/,
    })
    checkCassandra(direct, configFrom(settings))
    // What is read is committed, and nothing else is done.
    checkCassandra(
      built((builder) => builder.stream('names', text).to(profiles)),
      exactlyOnce,
    )
  })

  test('settings that are missing are named', () => {
    const topology = built((builder) => builder.stream('names', text).to(profiles))
    const config = configFrom({ applicationId: 'a', bootstrapServers: 'none:1' })
    assert.throws(() => checkCassandra(topology, config), {
      problems: [
        'WEIR_CASSANDRA_CONTACT_POINTS is not set: the topology writes to table profiles in Cassandra',
        'WEIR_CASSANDRA_LOCAL_DATACENTER is not set: the topology writes to table profiles in Cassandra',
        'WEIR_CASSANDRA_KEYSPACE is not set: the topology writes to table profiles in Cassandra',
      ],
    })
    // Nothing is asked of those that do without.
    checkCassandra(
      built((builder) => builder.stream('names', text).to('out')),
      config,
    )
  })

  test('what is wrong is refused in one line', () => {
    const stream = (run: (stream: { to: (...args: unknown[]) => void }) => void) => () =>
      built((builder) => run(builder.stream('names', text) as never))
    assert.throws(
      stream((names) => names.to(profiles, { topic: 'x' })),
      {
        name: 'TopologyError',
        message: 'to profiles: unknown option topic; allowed: name, through, key, value',
      },
    )
    assert.throws(
      stream((names) => names.to(profiles, { value: serdes.string })),
      {
        message: 'to profiles: value is given without a topic that records go through: give { through }',
      },
    )
    assert.throws(
      stream((names) => names.to(profiles, { through: 'a b' })),
      {
        message: /^to profiles: through is "a b"; allowed are letters/,
      },
    )
    const source = () => new Topology().addSource('in', { topics: 'in', ...text })
    assert.throws(() => source().addCassandraSink('out', { parents: 'in', table: {} as never }), {
      message: 'sink out: table must be a table made by cassandra.table, not an object',
    })
    assert.throws(
      () =>
        source()
          .addCassandraSink('out', { parents: 'in', table: profiles })
          .addSink('below', { parents: 'out', topic: 't', ...text }),
      { message: 'sink below: sink out cannot be a parent' },
    )
    const other = cassandra.table({ name: 'profiles', partitionKey: { user: 'uuid' } })
    assert.throws(
      () =>
        source()
          .addCassandraSink('out', { parents: 'in', table: profiles })
          .addCassandraSink('other', { parents: 'in', table: other })
          .build(),
      { message: 'cassandra.table profiles is there twice, with other columns' },
    )
  })
})
