import type { SerdeState } from '../../../../src/dsl/serde-state.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import { BufferConfig, Suppressed } from '../../../../src/dsl/suppressed.ts'
import type { Table } from '../../../../src/dsl/table.ts'
import { SessionWindows, SlidingWindows, TimeWindows } from '../../../../src/dsl/windows.ts'
import type { Windowed } from '../../../../src/state/store.ts'
import { type Collect, type OperatorTopology, text } from './operator-topology.ts'

const small = (value: string): boolean => value < 'v5'

function grouped(builder: StreamsBuilder) {
  return builder.stream('a', text).groupByKey()
}

function showWindows<V>(
  out: Collect,
  table: Table<Windowed<string>, V, SerdeState, null> | Table<Windowed<string>, V, SerdeState, never>,
  label: string,
): void {
  out(
    (table as Table<Windowed<string>, V>)
      .toStream()
      .selectKey(({ key: { key, window } }) => `${key}@${window.start}-${window.end}`)
      .mapValues((value) => `${label}${value}`),
  )
}

function show<V>(
  out: Collect,
  table: Table<string, V, SerdeState, null> | Table<string, V, SerdeState, never>,
  label: string,
): void {
  out((table as Table<string, V>).toStream().mapValues((value) => `${label} ${value}`))
}

/** The topologies of test/oracle/operators/SuppressTopologies.java. */
export const suppressTopologies: Record<string, OperatorTopology> = {
  'suppress-windows': (builder, out, rows) => {
    const table = grouped(builder)
      .windowedBy(TimeWindows.of({ sizeMs: 20, advanceMs: 8, graceMs: 10 }))
      .reduce((aggregate, value) => (aggregate.length > 12 ? null : aggregate + value), rows)
    const last = table.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
    showWindows(out, last, '')
    showWindows(
      out,
      last.filter((value) => value.length < 7),
      'short ',
    )
    const filtered = table.filter((value) => value.length < 9)
    showWindows(out, filtered.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())), 'filtered ')
  },

  'suppress-sliding': (builder, out, rows) =>
    showWindows(
      out,
      grouped(builder)
        .windowedBy(SlidingWindows.of({ timeDifferenceMs: 5, graceMs: 30 }))
        .count(rows)
        .suppress(Suppressed.untilWindowCloses(BufferConfig.maxRecords(1000).shutDownWhenFull())),
      '',
    ),

  'suppress-sessions': (builder, out, rows) =>
    showWindows(
      out,
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3, graceMs: 10 }))
        .count(rows)
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())),
      '',
    ),

  'suppress-sessions-limited': (builder, out, rows) =>
    showWindows(
      out,
      grouped(builder)
        .windowedBy(SessionWindows.of({ inactivityGapMs: 3, graceMs: 10 }))
        .count(rows)
        .suppress(Suppressed.untilTimeLimit(15, BufferConfig.maxRecords(5))),
      '',
    ),

  'suppress-time-limit': (builder, out, rows) => {
    const table = builder.table('a', { ...text, ...rows })
    const held = table.suppress(Suppressed.untilTimeLimit(25, BufferConfig.unbounded()))
    show(out, held, 'held')
    show(out, held.filter(small), 'small')
    show(out, held.filter(small, { ...rows, store: 'kept' }), 'kept')
    show(out, held.suppress(Suppressed.untilTimeLimit(10, BufferConfig.maxRecords(2))), 'twice')
    show(out, table.suppress(Suppressed.untilTimeLimit(0, BufferConfig.unbounded())), 'at once')
  },

  'suppress-records': (builder, out, rows) => {
    const table = builder.table('a', { ...text, ...rows })
    show(out, table.suppress(Suppressed.untilTimeLimit(500, BufferConfig.maxRecords(2))), 'two')
    show(out, table.suppress(Suppressed.untilTimeLimit(500, BufferConfig.maxRecords(0))), 'none')
  },

  'suppress-counts': (builder, out, rows) =>
    show(
      out,
      grouped(builder)
        .count(rows)
        .suppress(Suppressed.untilTimeLimit(500, BufferConfig.maxRecords(3))),
      'counts',
    ),

  'suppress-bytes': (builder, out, rows) => {
    const table = builder.table('a', { ...text, ...rows })
    for (let bytes = 30; bytes < 150; bytes += 9)
      show(
        out,
        table.suppress(Suppressed.untilTimeLimit(500, BufferConfig.maxBytes(bytes))),
        `bytes ${bytes}`,
      )
    const both = BufferConfig.maxBytes(100).withMaxRecords(2)
    show(out, table.suppress(Suppressed.untilTimeLimit(500, both)), 'both')
  },

  'suppress-joined': (builder, out, rows) => {
    const held = builder
      .table('a', { ...text, ...rows })
      .suppress(Suppressed.untilTimeLimit(40, BufferConfig.maxRecords(3)))
    out(builder.stream('b', text).leftJoin(held, (left, right) => `${left}+${right}`))
    const mapped = held.mapValues((value) => `m${value}`)
    out(builder.stream('b', text).join(mapped, (left, right) => `${left}<${right}`))
    const other = builder.stream('b', text).toTable(rows)
    show(
      out,
      held.join(other, (left, right) => `${left}=${right}`),
      'tables',
    )
    show(
      out,
      held.leftJoin(other.filter(small), (left, right) => `${left}~${right}`),
      'left',
    )
  },
}
