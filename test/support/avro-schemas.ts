/** An event's schema as it evolves. Each version can read what the others wrote, unless it says otherwise. */

const fields = [
  { name: 'userId', type: 'string' },
  { name: 'durationMs', type: 'long' },
]

export const pageViewSchemas = {
  v1: { type: 'record', name: 'PageView', namespace: 'test', fields },
  /** With a field that has a default. */
  v2: {
    type: 'record',
    name: 'PageView',
    namespace: 'test',
    fields: [...fields, { name: 'referrer', type: ['null', 'string'], default: null }],
  },
  /** Without one that nobody needs, with another name for one, and a wider number. */
  v3: {
    type: 'record',
    name: 'PageView',
    namespace: 'test',
    fields: [
      { name: 'userId', type: 'string' },
      { name: 'durationMs', type: 'long' },
      { name: 'source', aliases: ['referrer'], type: ['null', 'string'], default: null },
    ],
  },
  /** With one that has none: nothing that was written before can be read. */
  breaking: {
    type: 'record',
    name: 'PageView',
    namespace: 'test',
    fields: [...fields, { name: 'country', type: 'string' }],
  },
} as const

export const totalSchema = {
  type: 'record',
  name: 'Total',
  namespace: 'test',
  fields: [
    { name: 'userId', type: 'string' },
    { name: 'views', type: 'int' },
    { name: 'durationMs', type: 'long' },
  ],
} as const
