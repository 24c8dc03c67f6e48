import type { SerdeState } from '../../../../src/dsl/serde-state.ts'
import type { Stream } from '../../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { Serde } from '../../../../src/serde/serde.ts'
import { serdes } from '../../../../src/serde/serdes.ts'

export type Text = string | null

export type Collect = <K, V, KS extends SerdeState, VS extends SerdeState>(
  stream: Stream<K, V, KS, VS>,
) => void

/** What every table with a store is given. */
export interface Rows {
  readonly caching?: boolean
  readonly inMemory?: boolean
}

/** @param out what is given to it is compared */
export type OperatorTopology = (builder: StreamsBuilder, out: Collect, rows: Rows) => void

const nullable = serdes.string as Serde<Text>

/** How topics `a` and `b` are read. */
export const text = { key: nullable, value: nullable }
