/**
 * An application that changes hands between Weir and Kafka Streams, where test/oracle/migration/MigratedPeer.java is the same: an aggregate, windows that are
 * told once (by a suppression and by themselves), sessions, an aggregate by another key, an outer join of streams and a foreign-key join.
 */
import {
  BufferConfig,
  defineTopology,
  JoinWindows,
  minutes,
  SessionWindows,
  Suppressed,
  seconds,
  serdes,
  TimeWindows,
} from '../../../src/index.ts'

/** Before the names of the topics that are written. */
const prefix = process.env.MIGRATION_PREFIX ?? ''

const text = { key: serdes.string, value: serdes.string }

/** How many there were, and a hash of them in this order: `<count>:<hash>`. */
function chain(aggregate: string, click: string): string {
  const [count, hash] = aggregate.split(':').map(Number) as [number, number]
  return `${count + 1}:${(hash * 31 + numberOf(click)) % 1_000_000_007}`
}

/** `<count>:<sum>`. */
function add(one: string, other: string): string {
  const [count, sum] = one.split(':').map(Number) as [number, number]
  const [otherCount, otherSum] = other.split(':').map(Number) as [number, number]
  return `${count + otherCount}:${sum + otherSum}`
}

/** Clicks are `<team>|<n>`. */
const teamOf = (click: string): string => click.split('|')[0]!
const numberOf = (click: string): number => Number(click.split('|')[1])
/** Orders are `<customer>|<n>`; an order without a customer begins with the line. */
const customerOf = (order: string): string | null => order.split('|')[0] || null

const chained = {
  initializer: () => '0:0',
  aggregator: chain,
  value: serdes.string,
}

export default defineTopology((builder) => {
  const clicks = builder.stream('clicks', text)
  const views = builder.stream('views', text)
  const ofUsers = clicks.groupByKey(text)
  ofUsers
    .aggregate({ ...chained, store: 'totals' })
    .toStream()
    .to(`${prefix}totals`)
  ofUsers
    .windowedBy(TimeWindows.of({ sizeMs: seconds(10), graceMs: seconds(5) }))
    .aggregate(chained)
    .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
    .toStream()
    .to(`${prefix}closed`)
  ofUsers
    .windowedBy(TimeWindows.of({ sizeMs: seconds(7), graceMs: seconds(5) }))
    .emitStrategy('on-window-close')
    // What has closed is looked for once a second: in so long much time can go by for the records.
    .count({ retentionMs: minutes(10) })
    .toStream()
    .to(`${prefix}counted`)
  ofUsers
    .windowedBy(SessionWindows.of({ inactivityGapMs: seconds(2), graceMs: seconds(5) }))
    .aggregate({
      initializer: () => '0:0',
      aggregator: (aggregate, click) => add(aggregate, `1:${numberOf(click)}`),
      merger: add,
      value: serdes.string,
      store: 'visits',
    })
    .toStream()
    .to(`${prefix}visits`)
  clicks
    .groupBy(({ value }) => teamOf(value), text)
    .aggregate({ ...chained, store: 'teams' })
    .toStream()
    .to(`${prefix}teams`)
  clicks
    .outerJoin(
      views,
      (click, view) => `${click}+${view}`,
      JoinWindows.of({ timeDifferenceMs: seconds(3), graceMs: seconds(20) }),
      text,
    )
    .to(`${prefix}joined`, text)
  builder
    .table('orders', text)
    .leftJoin(builder.table('customers', text), (order, customer) => `${order}+${customer}`, {
      foreignKey: customerOf,
      store: 'deliveries',
      value: serdes.string,
    })
    .toStream()
    .to(`${prefix}deliveries`)
})
