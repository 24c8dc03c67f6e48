/** A serde bound to a topic, over a registry in this process, and bytes of it. */
import { LocalSchemaRegistry } from '../../src/schema-registry/local-schema-registry.ts'
import { bindSerde, type SerdePlace } from '../../src/serde/binding.ts'
import { ByteWriter } from '../../src/serde/byte-writer.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { LocalSchemas } from '../../src/testing/local-schemas.ts'

export class AvroBench {
  readonly registry = new LocalSchemaRegistry()
  readonly schemas = new LocalSchemas(this.registry)

  bind<T>(serde: Serde<T>, place: Partial<SerdePlace> = {}): Serde<T> {
    return bindSerde(
      serde,
      { topic: 'topic', part: 'value', use: 'sink', isInternal: false, ...place },
      this.schemas,
    )
  }
}

export function bytesOf<T>(serde: Serde<T>, value: T): Buffer {
  const writer = new ByteWriter(16)
  serde.serialize(value, writer)
  return writer.copyFrom(0)
}

/** Reads the value from between other bytes, which are none of its business. */
export function readBack<T>(serde: Serde<T>, bytes: Buffer): T {
  const around = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(5, 0x02)])
  return serde.deserialize(around, 3, 3 + bytes.length)
}
