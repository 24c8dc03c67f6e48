/** How many records each key had in each window, told once, when the window has closed. */
import { BufferConfig, defineTopology, Suppressed, serdes, TimeWindows } from '../../../src/index.ts'

export const WINDOW_MS = 1_000
export const GRACE_MS = 500

const prefix = process.env.COUNT_PREFIX ?? ''

export default defineTopology((builder) => {
  builder
    .stream(`${prefix}visits`, { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .windowedBy(TimeWindows.of({ sizeMs: WINDOW_MS, graceMs: GRACE_MS }))
    .count({ store: 'windows' })
    .suppress(Suppressed.untilWindowCloses(BufferConfig.maxRecords(100_000).shutDownWhenFull()), {
      name: 'hold',
    })
    .toStream()
    .to(`${prefix}closed`)
})
