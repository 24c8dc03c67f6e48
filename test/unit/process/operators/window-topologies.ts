import type { SerdeState } from '../../../../src/dsl/serde-state.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../../src/dsl/table.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../../../../src/dsl/windows.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import type { Windowed } from '../../../../src/state/store.ts'
import { type Collect, type OperatorTopology, type Rows, type Text, text } from './operator-topology.ts'

function show<V, VS extends SerdeState, Absent extends null>(
  table: Table<Windowed<string>, V, VS, Absent>,
  label: string,
  out: Collect,
): void {
  out(
    table
      .toStream()
      .selectKey(({ key: { key, window } }) => `${key}@${window.start}-${window.end}`)
      .mapValues((value) => `${label}${value}`),
  )
}

function append(aggregate: string, value: Text): Text {
  return aggregate.length > 12 ? null : aggregate + value
}

const appended = { initializer: () => 'i', aggregator: append, value: serdes.string }

/** What needs old values, and what keeps rows under windowed keys. */
function showFiltered<Absent extends null>(
  table: Table<Windowed<string>, string, 'known', Absent>,
  out: Collect,
  rows: Rows,
): void {
  show(table, '', out)
  show(
    table.filter((value) => value.length < 7),
    'short ',
    out,
  )
  show(
    table.filter((value) => value.length < 8, { ...rows, store: 'kept' }),
    'kept ',
    out,
  )
  show(
    table.mapValues((value) => (value.length > 9 ? null : value.length)),
    'length ',
    out,
  )
}

function grouped(builder: StreamsBuilder) {
  return builder.stream('a', text).groupByKey()
}

export const windowTopologies: Record<string, OperatorTopology> = {
  'window-count': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 20, graceMs: 10 }))
        .count(rows),
      '',
      out,
    ),

  'window-hopping': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 25, advanceMs: 7 }))
        .reduce(append, rows),
      '',
      out,
    ),

  'window-aggregate': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 10, advanceMs: 5, graceMs: 15 }))
        .aggregate({ ...appended, ...rows }),
      out,
      rows,
    ),

  'window-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 90_000, advanceMs: 40_000, graceMs: 50_000 }))
        .reduce(append, rows),
      '',
      out,
    ),

  'window-unlimited': (builder, out, rows) =>
    out(
      grouped(builder)
        .windowedBy(UnlimitedWindows.of({ startMs: 1100 }))
        .count(rows)
        .toStream()
        .selectKey(({ key: { key, window } }) => `${key}@${window.start}`)
        .mapValues(String),
    ),

  'window-close': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 20, graceMs: 10 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'window-close-hopping': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 10, advanceMs: 4 }))
        .emitStrategy('on-window-close')
        .aggregate({ ...appended, ...rows }),
      out,
      rows,
    ),

  'window-close-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(TimeWindows.of({ sizeMs: 9000, graceMs: 5000 }))
        .emitStrategy('on-window-close')
        .reduce(append, rows),
      '',
      out,
    ),

  'session-close': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3, graceMs: 10 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'session-close-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3000, graceMs: 30_000 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'sliding-close': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 12, graceMs: 10 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'sliding-close-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 20_000, graceMs: 9000 }))
        .emitStrategy('on-window-close')
        .count(rows),
      '',
      out,
    ),

  'session-count': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3, graceMs: 10 }))
        .count(rows),
      '',
      out,
    ),

  'session-reduce': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 2 }))
        .reduce(append, rows),
      '',
      out,
    ),

  'session-aggregate': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 1, graceMs: 20 }))
        .aggregate({ ...appended, merger: (one, two) => `${one}+${two}`, ...rows }),
      out,
      rows,
    ),

  'session-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 15_000, graceMs: 90_000 }))
        .count(rows),
      '',
      out,
    ),

  'sliding-count': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 12, graceMs: 10 }))
        .count(rows),
      '',
      out,
    ),

  'sliding-reduce': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 6 }))
        .reduce((aggregate, value) => aggregate + value, rows),
      '',
      out,
    ),

  'sliding-aggregate': (builder, out, rows) =>
    showFiltered(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 5, graceMs: 30 }))
        .aggregate({ ...appended, ...rows }),
      out,
      rows,
    ),

  'sliding-early': (builder, out, rows) =>
    show(
      builder
        .stream('a', text)
        .filter(({ key }) => key !== 'k0')
        .groupByKey()
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 1200, graceMs: 30 }))
        .count(rows),
      '',
      out,
    ),

  'sliding-segments': (builder, out, rows) =>
    show(
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 50_000, graceMs: 40_000 }))
        .count(rows),
      '',
      out,
    ),
}
