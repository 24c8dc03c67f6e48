/** How the types follow which serdes are known, so that a missing one is an error of the compiler. */
import type { Serde } from '../serde/serde.ts'
import { checkSerde } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'

/** Whether a stream knows how to write its keys (or values): not after they have changed. */
export type SerdeState = 'known' | 'missing'

/** What is known of two streams together. */
export type BothStates<A extends SerdeState, B extends SerdeState> = [A, B] extends ['known', 'known']
  ? 'known'
  : 'missing'

export type KeyOption<K, State extends SerdeState> = State extends 'known'
  ? { readonly key?: Serde<K> }
  : { readonly key: Serde<K> }

export type ValueOption<V, State extends SerdeState> = State extends 'known'
  ? { readonly value?: Serde<V> }
  : { readonly value: Serde<V> }

/** What a repartition topic needs: a stream whose key has changed is written to one, key and value. */
export type RepartitionSerdes<K, V, KS extends SerdeState, VS extends SerdeState> = KS extends 'known'
  ? { readonly key?: Serde<K>; readonly value?: Serde<V> }
  : { readonly key: Serde<K> } & ValueOption<V, VS>

/** An options argument that may be left out when nothing in it is required. */
export type OptionsArgument<Options> =
  Record<never, never> extends Options ? [options?: Options] : [options: Options]

/** The serde that was given, or else the one that is known. */
export function requireSerde<T>(
  where: string,
  part: 'key' | 'value' | 'otherValue',
  given: Serde<T> | undefined,
  known: Serde<T> | null,
): Serde<T> {
  if (given !== undefined) {
    checkSerde(where, part, given)
    return given
  }
  if (known === null)
    throw new TopologyError(
      `${where}: no ${part === 'otherValue' ? "serde of the other stream's values" : `${part} serde`} is known here, because the ${part === 'key' ? 'keys' : 'values'} have changed: give { ${part} }`,
    )
  return known
}
