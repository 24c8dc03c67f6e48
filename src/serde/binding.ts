/** Serdes that depend on where their bytes go, or on schemas that a registry has. */
import type { SchemaNeed, SchemaSource } from './schema-source.ts'
import type { Serde } from './serde.ts'

/** Where a serde is used. */
export interface SerdePlace {
  /** By its real name. Of a store its changelog, whether or not it has one; of a source with a pattern the pattern. */
  readonly topic: string
  readonly part: 'key' | 'value'
  /** Read alone, written too, or the rows of a store. */
  readonly use: 'source' | 'sink' | 'store'
  /** A topic of the application itself: a changelog or a repartition topic. */
  readonly isInternal: boolean
}

export interface SerdeBinding<T> {
  /** What has to be known of the registry before the serde can be bound there. */
  needs(place: SerdePlace): readonly SchemaNeed[]
  /** The serde for one place. REQUIRES that `schemas` knows what `needs` asks for. */
  at(place: SerdePlace, schemas: SchemaSource): Serde<T>
  /** The serde for values that stay in this thread's memory: to copy them, or to compare their bytes. Its bytes are no record's. */
  local(): Serde<T>
}

/** The serde as it is used at a place: itself when it is the same everywhere. */
export function bindSerde<T>(serde: Serde<T>, place: SerdePlace, schemas: SchemaSource): Serde<T> {
  return serde.binding === undefined ? serde : serde.binding.at(place, schemas)
}

/** The serde for values that stay in memory; see SerdeBinding.local. */
export function localSerde<T>(serde: Serde<T>): Serde<T> {
  return serde.binding === undefined ? serde : serde.binding.local()
}

/** What tells whether two serdes, bound or not, are the same. */
export function unboundSerde(serde: Serde<unknown>): Serde<unknown> {
  return serde.unbound ?? serde
}

/**
 * A serde that is made of others: it has to be bound when one of them has.
 *
 * @param make the serde from its parts, which may be bound ones
 * @param suffixes where the parts are of different kinds, a name for each, added to the topic's: one subject would not hold both of their schemas. The
 *   pseudo-topics of Kafka Streams' foreign-key joins
 */
export function composedSerde<A, S extends object>(
  parts: readonly [Serde<A>],
  make: (part: Serde<A>) => S,
  suffixes?: readonly [string],
): S
export function composedSerde<A, B, S extends object>(
  parts: readonly [Serde<A>, Serde<B>],
  make: (first: Serde<A>, second: Serde<B>) => S,
  suffixes?: readonly [string, string],
): S
export function composedSerde(
  parts: readonly Serde<unknown>[],
  make: (...parts: never[]) => object,
  suffixes: readonly string[] = [],
): object {
  const placed = (place: SerdePlace, index: number): SerdePlace =>
    suffixes.length === 0 ? place : { ...place, topic: `${place.topic}-${suffixes[index]}` }
  const made = (each: (part: Serde<unknown>, index: number) => Serde<unknown>): object =>
    make(...(parts.map(each) as never[]))
  const serde = made((part) => part)
  if (parts.every(({ binding }) => binding === undefined)) return serde
  const binding: SerdeBinding<unknown> = {
    needs: (place) => parts.flatMap((part, index) => part.binding?.needs(placed(place, index)) ?? []),
    at: (place, schemas) => {
      const bound = made((part, index) => bindSerde(part, placed(place, index), schemas))
      return Object.assign(bound, { unbound: composed }) as Serde<unknown>
    },
    local: () => made(localSerde) as Serde<unknown>,
  }
  const composed = Object.assign(serde, { binding }) as Serde<unknown>
  return composed
}
