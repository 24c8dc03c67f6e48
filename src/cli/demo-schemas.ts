import { LocalSchemaRegistry } from '../schema-registry/local-schema-registry.ts'
import { bindSerde } from '../serde/binding.ts'
import type { Serde } from '../serde/serde.ts'
import { serdes } from '../serde/serdes.ts'
import { LocalSchemas } from '../testing/local-schemas.ts'
import type { SegmentChange } from './demo-changes.ts'
import type { DemoEvent } from './demo-events.ts'

/** What the example's schemas.ts exports. */
export interface ExampleSchemas {
  readonly firstUserEventSchema: { readonly type: string }
  readonly userEventSchema: { readonly type: string }
  readonly segmentChangeSchema: { readonly type: string }
}

/**
 * The example's schemas in a registry of this process, which is no more than a stand-in for one, and the serdes of who writes the events and of who
 * reads the changes.
 */
export class DemoSchemas {
  readonly registry = new LocalSchemaRegistry()
  /** As apps write them that have not been updated. */
  readonly firstEvents: Serde<DemoEvent>
  readonly events: Serde<DemoEvent>
  readonly changes: Serde<SegmentChange>

  /** @param topics that have them as values */
  constructor(schemas: ExampleSchemas, topics: { readonly events: string; readonly changes: string }) {
    const known = new LocalSchemas(this.registry)
    const bound = <T>(schema: { readonly type: string }, topic: string, use: 'sink' | 'source'): Serde<T> =>
      bindSerde(serdes.avro<T>(schema), { topic, part: 'value', use, isInternal: false }, known)
    this.firstEvents = bound(schemas.firstUserEventSchema, topics.events, 'sink')
    this.events = bound(schemas.userEventSchema, topics.events, 'sink')
    this.changes = bound(schemas.segmentChangeSchema, topics.changes, 'source')
  }
}
