import { serdes } from '../../../../src/serde/serdes.ts'
import { type OperatorTopology, text } from './operator-topology.ts'

/** Steps of a stream, and its aggregates. */
export const streamTopologies: Record<string, OperatorTopology> = {
  'stream-steps': (builder, out) =>
    out(
      builder
        .stream('a', text)
        .filter(({ value }) => value !== null)
        .map(({ key, value }) => ({ key: value, value: key }))
        .filterNot(({ key }) => key === 'v3')
        .flatMapValues((value) => (value === null ? ['none'] : [value, value + value]))
        .selectKey(({ key, value }) => `${key}-${value}`)
        .flatMap(({ key, value }) =>
          value.length > 2
            ? []
            : [
                { key, value },
                { key: value, value: key },
              ],
        )
        .mapValues((value, key) => `${key}/${value}`)
        .peek(() => {}),
    ),

  merge: (builder, out) => out(builder.stream('a', text).merge(builder.stream('b', text))),

  count: (builder, out, rows) => {
    const counts = builder.stream('a', text).groupByKey().count(rows)
    out(counts.toStream().mapValues((value) => String(value)))
  },

  'count-filtered': (builder, out, rows) => {
    const counts = builder.stream('a', text).groupByKey().count(rows)
    const show = (value: number | null) => String(value)
    out(
      counts
        .filter((value) => value % 3 === 0)
        .toStream()
        .mapValues(show),
    )
    out(
      counts
        .filterNot((value) => value < 5 || value > 9)
        .toStream()
        .mapValues(show),
    )
  },

  reduce: (builder, out, rows) =>
    out(
      builder
        .stream('a', text)
        .groupByKey()
        .reduce((aggregate, value) => (aggregate.length > 8 ? null : aggregate + value), rows)
        .toStream(),
    ),

  aggregate: (builder, out, rows) => {
    const table = builder
      .stream('a', text)
      .groupByKey()
      .aggregate({
        initializer: () => 'i',
        aggregator: (aggregate, value) => (aggregate.length > 8 ? null : aggregate + value),
        value: serdes.string,
        ...rows,
      })
    out(table.toStream())
    out(
      table
        .filter((value) => value.length < 5)
        .toStream()
        .mapValues((value) => `short ${value}`),
    )
    out(
      table
        .filter((value) => value.length < 6, { ...rows, store: 'kept' })
        .toStream()
        .mapValues((value) => `kept ${value}`),
    )
    out(
      table
        .mapValues((value) => (value.length > 6 ? null : `<${value}>`))
        .filter((value) => !value.includes('v1'))
        .toStream(),
    )
  },
}
