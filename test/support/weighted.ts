import fc from 'fast-check'

/** A command of a name, for `fc.oneof`. */
export function weighted<D extends string, T extends object>(
  weight: number,
  name: D,
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
): { weight: number; arbitrary: fc.Arbitrary<{ readonly do: D } & T> } {
  const record = fc.record({ do: fc.constant(name), ...fields })
  return { weight, arbitrary: record as unknown as fc.Arbitrary<{ readonly do: D } & T> }
}
