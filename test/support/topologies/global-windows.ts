/** A global store of a type that an application does not take. */
import { defineTopology, hours, minutes, serdes, stores } from '../../../src/index.ts'

const text = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  const windows = stores.window({
    name: 'windows',
    ...text,
    retentionMs: hours(1),
    windowSizeMs: minutes(1),
  })
  builder.addGlobalStore(windows, 'rows', text, () => ({ process() {} }))
  builder.stream('a', text).to('out', text)
})
