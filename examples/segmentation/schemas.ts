/** What the topics and one of the stores carry, as Avro. Producers register these under the topics' names. */

/** As events were at first. Apps that are not updated yet still write these. */
export const firstUserEventSchema = {
  type: 'record',
  name: 'UserEvent',
  namespace: 'weir.segmentation',
  fields: [
    { name: 'user', type: 'string' },
    { name: 'type', type: 'string' },
    { name: 'timestamp', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
}

/**
 * As the application reads them. The amount and the channel came later; with their defaults an event of the first
 * schema is one of this, and an app that knows only the first can read what others write.
 */
export const userEventSchema = {
  ...firstUserEventSchema,
  fields: [
    ...firstUserEventSchema.fields,
    { name: 'value', type: ['null', 'double'], default: null },
    { name: 'channel', type: 'string', default: 'web' },
  ],
}

export const ruleSchema = {
  type: 'record',
  name: 'Rule',
  namespace: 'weir.segmentation',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'segment', type: 'string' },
    { name: 'type', type: 'string' },
    { name: 'minCount', type: 'int' },
    { name: 'windowMs', type: 'long' },
  ],
}

export const segmentChangeSchema = {
  type: 'record',
  name: 'SegmentChange',
  namespace: 'weir.segmentation',
  fields: [
    { name: 'user', type: 'string' },
    { name: 'segment', type: 'string' },
    { name: 'rule', type: 'string' },
    { name: 'change', type: { type: 'enum', name: 'Change', symbols: ['entered', 'left'] } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
}

/** Of the store `memberships`. */
export const membershipSchema = {
  type: 'record',
  name: 'Membership',
  namespace: 'weir.segmentation',
  fields: [
    { name: 'segment', type: 'string' },
    { name: 'deadline', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
}
