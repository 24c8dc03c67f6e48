import {
  type Application,
  type Position,
  type QueriedRows,
  type QueriedWindows,
  queries,
  serdes,
  type ValueAndTimestamp,
  type VersionedRecord,
} from '../../src/index.ts'
import { check, type Equal, type View } from './check.ts'

export async function asked(application: Application): Promise<void> {
  const one = await application.query('views', queries.key<string, View>('alice'))
  check<Equal<typeof one.value, View | null>>()
  check<Equal<typeof one.position, Position>>()
  const timed = await application.query('views', queries.timestampedKey<string, View>('alice'))
  check<Equal<typeof timed.value, ValueAndTimestamp<View> | null>>()
  const range = await application.query(
    'views',
    queries.range<string, View>({ from: 'a', prefix: { value: 'a', serde: serdes.string }, limit: 10 }),
    { consistency: 'committed', partition: 'all', positionBound: one.position, timeoutMs: 100 },
  )
  check<Equal<typeof range.value, QueriedRows<string, View>>>()
  const windows = await application.query('windows', queries.windows<string, number>('alice', { from: 0 }))
  check<Equal<typeof windows.value, QueriedWindows<number>>>()
  const sessions = await application.query('sessions', queries.sessions<string, number>('alice'))
  check<Equal<typeof sessions.value, QueriedWindows<number>>>()
  const version = await application.query('prices', queries.version<number, bigint>(7, { asOfMs: 1 }))
  check<Equal<typeof version.value, VersionedRecord<bigint> | null>>()
  const count = await application.query('views', queries.count())
  check<Equal<typeof count.value, number>>()

  // @ts-expect-error the key is a text here
  queries.key<string, View>(7)
  // @ts-expect-error there is no such consistency
  await application.query('views', queries.count(), { consistency: 'fresh' })
  // @ts-expect-error the option is called limit
  queries.range<string, View>({ max: 10 })
}
