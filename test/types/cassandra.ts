/** What tables in Cassandra take, and which streams go to them. */
import { type CassandraTable, cassandra, defineTopology, serdes, Topology } from '../../src/index.ts'
import { check, type Equal, type View, views } from './check.ts'

const table = cassandra.table({
  name: 'views',
  partitionKey: { user: 'text' },
  clusteringKey: { at: 'timestamp' },
  clusteringOrder: { at: 'desc' },
  columns: { page: 'text', durations: 'frozen<list<int>>', counts: 'map<text, bigint>', raw: 'blob' },
  map: (user: string, view: View, record) => {
    check<Equal<[typeof user, typeof record.key], [string, string]>>()
    return { page: view.page, durations: [view.durationMs], counts: { a: 1 }, raw: null }
  },
  key: (user, { timestamp, value }) => {
    check<Equal<typeof value, View | null>>()
    return { user, at: timestamp }
  },
  ttlSeconds: (_, view) => (view.durationMs > 5 ? 60 : null),
})
check<Equal<typeof table, CassandraTable<string, View>>>()

const ofKeys = { name: 't', partitionKey: { user: 'text', day: 'date' } } as const
// @ts-expect-error: a column of the key is missing
cassandra.table({ ...ofKeys, key: (user: string) => ({ user }) })
// @ts-expect-error: a value of another type
cassandra.table({ ...ofKeys, columns: { n: 'int' }, map: () => ({ n: 'a' }) })
// @ts-expect-error: no such type
cassandra.table({ name: 't', partitionKey: { user: 'string' } })
// @ts-expect-error: a collection in the key
cassandra.table({ name: 't', partitionKey: { user: 'set<text>' } })
// @ts-expect-error: no such clustering column
cassandra.table({ ...ofKeys, clusteringKey: { c: 'int' }, clusteringOrder: { x: 'desc' } })

export default defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  stream.to(table)
  stream.to(table, { name: 'to-views' })
  stream.to(table, { through: 'rows' })
  stream.to(
    cassandra.table({
      name: 'pages',
      partitionKey: { user: 'text' },
      columns: { page: 'text' },
      map: (_: string, view: View) => ({ page: view.page }),
    }),
  )
  // Records without a value are never mapped.
  builder.stream('maybe', { key: serdes.string, value: serdes.json<View | null>() }).to(table)
  // @ts-expect-error: other values
  builder.stream('texts', { key: serdes.string, value: serdes.string }).to(table)
  const mapped = stream.mapValues((view) => view)
  mapped.to(table)
  // @ts-expect-error: no serde of the values is known
  mapped.to(table, { through: 'rows' })
  mapped.to(table, { through: 'rows', value: views.value })
})

new Topology().addSource('in', { topics: 'in', ...views }).addCassandraSink('out', { parents: 'in', table })
