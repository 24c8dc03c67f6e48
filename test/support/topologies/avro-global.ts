/** Views joined with the users of a global table, both in Avro; the key of a view names its user. */
import { defineTopology, serdes } from '../../../src/index.ts'
import { pageViewSchemas, totalSchemas } from '../avro-schemas.ts'

interface PageView {
  readonly userId: string
  readonly durationMs: number
}

interface Total {
  readonly userId: string
  readonly views: number
  readonly durationMs: number
}

const pageViews = serdes.avro<PageView>(pageViewSchemas.v1)
const totals = serdes.avro<Total>(totalSchemas.v1)

export default defineTopology((builder) => {
  const users = builder.globalTable('users', { key: serdes.string, value: totals, store: 'users' })
  builder
    .stream('user-views', { key: serdes.string, value: pageViews })
    .join(users, (view, user) => ({ ...view, durationMs: view.durationMs + user.durationMs }), {
      keySelector: ({ key }) => key,
    })
    .to('joined', { value: pageViews })
})
