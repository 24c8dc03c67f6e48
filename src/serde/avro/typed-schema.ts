import type { AvroSchema } from './avro.ts'
import type { Longs } from './avro-schema.ts'

declare const values: unique symbol

/** What a schema's values are; of types only. */
interface ValuesOf<T, L extends Longs> {
  readonly value: T
  readonly longs: L
}

/** A schema with the type of its values, as `weir codegen` writes it: `serdes.avro(pageViewSchema)` then is a serde of PageView. `L`: what its `long` is. */
export type AvroSchemaOf<T, L extends Longs = 'number'> = AvroSchema & {
  readonly [values]?: ValuesOf<T, L>
}

/** A schema that tells nothing of its values. */
export type UntypedAvroSchema = AvroSchema & { readonly [values]?: never }
