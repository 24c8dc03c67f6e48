import { serdes } from '../../../../src/serde/serdes.ts'
import { type OperatorTopology, text } from './operator-topology.ts'

/** Tables of topics, and streams that are joined to them. */
export const tableTopologies: Record<string, OperatorTopology> = {
  'table-unread': (builder, out) => {
    const table = builder.table('a', text)
    out(table.filter((value) => value < 'v5').toStream())
    out(table.mapValues((value) => `m${value}`).toStream())
  },

  'table-stored': (builder, out, rows) => {
    const table = builder.table('a', { ...text, ...rows, store: 'stored' })
    out(table.filter((value) => value < 'v5').toStream())
    out(
      table
        .filterNot((value) => value < 'v5', { ...rows, store: 'others' })
        .toStream()
        .mapValues((value) => `not ${value}`),
    )
    out(
      table
        .mapValues((value) => (value === 'v7' ? null : `m${value}`), {
          ...rows,
          store: 'mapped',
          value: serdes.string,
        })
        .filter((value) => value !== 'mv2')
        .toStream(),
    )
  },

  join: (builder, out, rows) => {
    const table = builder.table('b', { ...text, ...rows })
    out(builder.stream('a', text).join(table, (left, right) => `${left}+${right}`))
    const small = table.filter((value) => value < 'v5')
    out(builder.stream('a', text).join(small, (left, right) => `${left}<${right}`))
    out(table.toStream().mapValues((value) => `table ${value}`))
  },

  'left-join': (builder, out, rows) => {
    const table = builder.table('b', { ...text, ...rows })
    const mapped = table.mapValues((value) => (value === 'v2' ? null : `m${value}`))
    out(builder.stream('a', text).leftJoin(table, (left, right, key) => `${key}:${left}+${right}`))
    out(builder.stream('a', text).leftJoin(mapped, (left, right) => `${left}~${right}`))
  },

  'join-aggregate': (builder, out, rows) => {
    const counts = builder.stream('b', text).groupByKey().count(rows)
    out(builder.stream('a', text).join(counts, (left, right) => `${left}#${right}`))
  },
}
