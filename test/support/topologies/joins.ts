/** Joins of two streams and of two tables, for a test that kills them. */
import { defineTopology, hours, JoinWindows, seconds, serdes } from '../../../src/index.ts'

export const DIFFERENCE_MS = seconds(10)
/** So long that nothing is late. */
export const GRACE_MS = hours(1)

const text = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  const left = builder.stream('left', text)
  const right = builder
    .stream('right', text)
    // As it was: so that the join repartitions this side.
    .selectKey(({ key }) => key)
  left
    .outerJoin(
      right,
      (l, r) => `${l}+${r}`,
      JoinWindows.of({ timeDifferenceMs: DIFFERENCE_MS, graceMs: GRACE_MS }),
      text,
    )
    .to(({ value }) => (value.includes('null') ? 'alone' : 'met'), { ...text, topics: ['alone', 'met'] })
  left
    .toTable()
    .leftJoin(right.toTable({ ...text, store: 'right-rows' }), (l, r) => `${l}+${r}`, {
      store: 'joined-rows',
      value: serdes.string,
    })
    .toStream()
    .to('rows')
})
