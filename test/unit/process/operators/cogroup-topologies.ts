import type { CogroupedStream } from '../../../../src/dsl/cogrouped-stream.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../../src/dsl/table.ts'
import { SessionWindows, SlidingWindows, TimeWindows } from '../../../../src/dsl/windows.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import type { Windowed } from '../../../../src/state/store.ts'
import { type Collect, type OperatorTopology, text } from './operator-topology.ts'

const from = { initializer: () => 'i', value: serdes.string }

function cogrouped(builder: StreamsBuilder): CogroupedStream<string, string> {
  return builder
    .stream('a', text)
    .groupByKey()
    .cogroup<string>((aggregate, value) => (aggregate.length > 12 ? null : aggregate + value))
    .cogroup(builder.stream('b', text).groupByKey(), (aggregate, value) => value + aggregate)
}

function showAll(out: Collect, table: Table<Windowed<string>, string>): void {
  const show = (shown: Table<Windowed<string>, string>, label: string): void =>
    out(
      shown
        .toStream()
        .selectKey(({ key: { key, window } }) => `${key}@${window.start}-${window.end}`)
        .mapValues((value) => `${label}${value}`),
    )
  show(table, '')
  show(
    table.filter((value) => value.length < 7),
    'short ',
  )
}

/** The topologies of test/oracle/operators/CogroupTopologies.java. */
export const cogroupTopologies: Record<string, OperatorTopology> = {
  cogroup: (builder, out, rows) => {
    const table = cogrouped(builder).aggregate({ ...from, ...rows })
    out(table.toStream())
    out(
      table
        .filter((value) => value.length < 7)
        .toStream()
        .mapValues((value) => `short ${value}`),
    )
    out(
      table
        .join(
          table.mapValues((value) => value.length),
          (left, right) => left + right,
        )
        .toStream()
        .mapValues((value) => `joined ${value}`),
    )
  },

  'cogroup-windows': (builder, out, rows) =>
    showAll(
      out,
      cogrouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 20, advanceMs: 8, graceMs: 10 }))
        .aggregate({ ...from, ...rows }),
    ),

  'cogroup-sliding': (builder, out, rows) =>
    showAll(
      out,
      cogrouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 5, graceMs: 30 }))
        .aggregate({ ...from, ...rows }),
    ),

  'cogroup-sessions': (builder, out, rows) =>
    showAll(
      out,
      cogrouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3, graceMs: 10 }))
        .aggregate({ ...from, merger: (one, two) => `${one}+${two}`, ...rows }),
    ),
}
