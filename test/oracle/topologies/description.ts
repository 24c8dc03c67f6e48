/** A topology and what is piped into it, as data: what crosses to RunTopologies.java as a line of JSON. */

/** What a step gives. Keys are text everywhere. */
export type Kind = 'stream' | 'table' | 'grouped' | 'global'
export type ValueType = 'text' | 'number'

export interface Shape {
  readonly kind: Kind
  readonly type: ValueType
  /** Whether the serde of its values is known. */
  readonly hasSerde: boolean
  /** Of a versioned table. */
  readonly historyMs: number | undefined
}

/** How a step is told to keep its rows: not at all, by serdes alone, by a name as well, by that name in memory, or by that name with a history. */
export type StoreMode = 'none' | 'with' | 'as' | 'memory' | 'versioned'

/** Of a versioned table: the same ones are in Step.java. */
export function historyMs(n: number): number {
  return [30, 100, 1000][n % 3]!
}

export interface Step {
  readonly op: string
  /** Indexes of earlier steps. */
  readonly in: readonly number[]
  /** A parameter that the step's functions depend on. */
  readonly n: number
  /** Of the result's values. */
  readonly type: ValueType
  readonly store: StoreMode
  readonly storeName: string
  /** Of a source or a sink. */
  readonly topic: string
}

export interface InputRecord {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, string | null])[]
}

export type InputEvent = InputRecord | { readonly advanceMs: number }

export interface Description {
  /** With caching stores forward at a commit, which is after each record. */
  readonly caching: boolean
  /** Every rule of topology.optimization, or none. */
  readonly optimized: boolean
  /** Where the wall clock begins. */
  readonly startMs: number
  readonly steps: readonly Step[]
  readonly events: readonly InputEvent[]
}

/** key, value (bytes as hex), timestamp, headers. */
export type OutputRow = readonly [string | null, string | null, number, readonly string[]]

/** What one side makes of a description. */
export interface Result {
  /** Why the topology could not be built. */
  readonly refused?: string
  /** Why it could not be run. */
  readonly failed?: string
  /** For each event what was written, by topic. */
  readonly rounds?: readonly Readonly<Record<string, readonly OutputRow[]>>[]
  /** For each store its rows: key, value, timestamp. */
  readonly stores?: Readonly<Record<string, readonly unknown[][]>>
}
