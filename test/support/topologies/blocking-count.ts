/**
 * Counts the records of each value of `input` into `counts`, by way of a repartition topic; COUNT_PREFIX comes before both names. A value that begins with
 * `block-` blocks the thread for as many ms as follow.
 */
import { defineTopology, serdes } from '../../../src/index.ts'

const prefix = process.env.COUNT_PREFIX ?? ''

function block(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

export default defineTopology((builder) => {
  builder
    .stream(`${prefix}input`, { key: serdes.string, value: serdes.string })
    .peek(({ value }) => {
      if (value.startsWith('block-')) block(Number(value.slice('block-'.length)))
    })
    .groupBy((record) => record.value, { key: serdes.string, value: serdes.string, name: 'by-value' })
    .count({ store: 'counts' })
    .toStream()
    .to(`${prefix}counts`)
})
