/**
 * Updates of rows go to a table in Cassandra, and what is in `plain` is counted beside. ROWS_PREFIX comes before the topics' names; ROWS_TABLE is the table; with ROWS_THROUGH the rows
 * go through a topic.
 */
import { cassandra, defineTopology, serdes } from '../../../src/index.ts'

export interface RowUpdate {
  readonly number: number
  readonly text: string
  /** The text is made so long. */
  readonly length?: number
}

const { ROWS_PREFIX = '', ROWS_TABLE = 'rows', ROWS_THROUGH } = process.env

const rows = cassandra.table({
  name: ROWS_TABLE,
  partitionKey: { owner: 'text' },
  clusteringKey: { id: 'int' },
  columns: { number: 'int', text: 'text' },
  map: (_: string, { number, text, length }: RowUpdate) => ({
    number,
    text: length === undefined ? text : text.padEnd(length, '.'),
  }),
  key: (key) => {
    const [owner, id] = key.split('/')
    return { owner: owner!, id: Number(id) }
  },
})

export default defineTopology((builder) => {
  const updates = builder.stream(`${ROWS_PREFIX}updates`, {
    key: serdes.string,
    value: serdes.json<RowUpdate | null>(),
  })
  if (ROWS_THROUGH === undefined) updates.filter(() => true).to(rows)
  else updates.filter(() => true).to(rows, { through: ROWS_THROUGH })
  builder
    .stream(`${ROWS_PREFIX}plain`, { key: serdes.string, value: serdes.string })
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to(`${ROWS_PREFIX}counts`)
})
