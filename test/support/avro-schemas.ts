/** An event's schema as it evolves, and that of a total over events. Each version can read what the others wrote, unless it says otherwise. */

const fields = [
  { name: 'userId', type: 'string' },
  { name: 'durationMs', type: 'long' },
]
const pageView = { type: 'record', name: 'PageView', namespace: 'test' } as const
const referrer = { name: 'referrer', type: ['null', 'string'], default: null }

export const pageViewSchemas = {
  v1: { ...pageView, fields },
  /** With a field that has a default. */
  v2: { ...pageView, fields: [...fields, referrer] },
  /** Which has another name now. */
  v3: { ...pageView, fields: [...fields, { ...referrer, name: 'source', aliases: ['referrer'] }] },
  /** With one that has none: nothing that was written before can be read. */
  breaking: { ...pageView, fields: [...fields, { name: 'country', type: 'string' }] },
} as const

const total = {
  type: 'record',
  name: 'Total',
  namespace: 'test',
  fields: [
    { name: 'userId', type: 'string' },
    { name: 'views', type: 'int' },
    { name: 'durationMs', type: 'long' },
  ],
} as const
const evolvedTotal = {
  ...total,
  fields: [...total.fields, { name: 'lastReferrer', type: ['null', 'string'], default: null }],
} as const

export const totalSchemas = { v1: total, v2: evolvedTotal, v3: evolvedTotal, breaking: evolvedTotal } as const
