/** What tables are made into, and joined to. */
import type { Table } from '../../src/index.ts'
import { defineTopology, minutes, serdes, TimeWindows } from '../../src/index.ts'
import { check, type Equal, type View, views } from './check.ts'

export default defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  const counts = stream.groupByKey().count()

  // Joins of tables.
  const names = builder.table('names', { key: serdes.string, value: serdes.string })
  const joined = counts.join(names, (count, name, user) => {
    check<Equal<[typeof count, typeof name, typeof user], [number, string, string]>>()
    return count > 3 ? name : null
  })
  check<Equal<typeof joined, Table<string, string, 'missing', null>>>()
  // @ts-expect-error: a joined table has no serde for its values
  joined.toStream().to('joined')
  const named = counts.leftJoin(names, (count, name) => `${count}${name?.length}`, { value: serdes.string })
  // A count is never deleted, so neither is what it is joined to.
  check<Equal<typeof named, Table<string, string, 'known', never>>>()
  counts.outerJoin(names, (count, name) => {
    check<Equal<[typeof count, typeof name], [number | null, string | null]>>()
    return 1
  })
  // @ts-expect-error: the other row may not be there
  counts.leftJoin(names, (_, name) => name.length)
  // @ts-expect-error: a store needs the values' serde
  counts.join(names, (count) => count, { store: 'joined' })
  // @ts-expect-error: a table of other keys
  names.join(builder.table('rows', { key: serdes.int32, value: serdes.string }), (name) => name)

  const lengths = names.transformValues(() => ({
    transform: (name, user) => {
      check<Equal<[typeof name, typeof user], [string | null, string]>>()
      return name === null ? null : name.length
    },
  }))
  check<Equal<typeof lengths, Table<string, number, 'missing'>>>()

  // Joins by foreign key.
  const people = builder.table('people', { key: serdes.int32, value: serdes.json<{ name: string }>() })
  const rows = builder.table('rows', views)
  const foreignKey = (view: View, user: string): number | null => (user === '' ? null : view.durationMs)
  const referred = rows.join(people, (view, { name }, user) => `${user} ${view.page} ${name}`, { foreignKey })
  check<Equal<typeof referred, Table<string, string, 'missing'>>>()
  const kept = rows.leftJoin(people, (view, person) => (person === null ? view.page : person.name), {
    foreignKey,
    value: serdes.string,
    store: 'kept',
  })
  check<Equal<typeof kept, Table<string, string>>>()
  // @ts-expect-error: the other table's row may not be there
  rows.leftJoin(people, (_view, person) => person.name, { foreignKey })
  // @ts-expect-error: the other table has numbers for keys
  rows.join(people, (view) => view.page, { foreignKey: (view) => view.page })
  // @ts-expect-error: the keys differ, and there is no foreign key
  rows.join(people, (view) => view.page)
  // @ts-expect-error: the values of this table have no serde
  referred.join(people, (text) => text, { foreignKey: (text) => text.length })

  // Versioned tables.
  const versioned = builder.table('versioned', {
    ...views,
    store: 'versioned',
    historyRetentionMs: minutes(5),
  })
  stream.join(versioned, (view, last) => view.page + last.page, { graceMs: minutes(1) })
  const timed = stream.groupByKey().windowedBy(TimeWindows.of({ sizeMs: 1 }))
  // @ts-expect-error: windows have no versions
  timed.count({ store: 's', historyRetentionMs: 1 })
})
