/** Schemas of test/support/topologies/bad-avro.ts. */
const fields = [
  { name: 'id', type: 'string' },
  { name: 'at', type: 'long' },
  { name: 'isNew', type: 'boolean' },
  { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
  { name: 'tags', type: { type: 'array', items: 'string' } },
  { name: 'blob', type: 'bytes' },
  { name: 'next', type: ['null', 'Event'], default: null },
] as const

export const badAvroSchemas = {
  event: { type: 'record', name: 'Event', fields },
  /** Which the first cannot read: it has no `id`. */
  incompatible: { type: 'record', name: 'Event', fields: fields.slice(1) },
  long: { type: 'record', name: 'Long', fields: [{ name: 'value', type: 'long' }] },
} as const
