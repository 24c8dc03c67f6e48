/** Unions that resolve as Java's do: a writer's type is read as the branch of the same type, before one that it can be promoted to. */
import { type AvscResolver, type AvscType, type AvscUnionType, avscTypes, isLogical } from './avsc-type.ts'

/** The branches of a union, those that fit a writer's type best first. */
function byFit(branches: readonly AvscType[], writer: AvscType): AvscType[] {
  const misfit = (branch: AvscType): number => {
    if (branch.branchName !== writer.branchName) return 2
    return isLogical(branch) === isLogical(writer) && branch.typeName === writer.typeName ? 0 : 1
  }
  return [...branches].sort((one, other) => misfit(one) - misfit(other))
}

/** The first branch that can read the writer's type. @returns null when none can */
function resolve(
  { types }: AvscUnionType,
  writer: AvscType,
  options: object,
): { readonly branch: AvscType; readonly resolver: AvscResolver } | null {
  for (const branch of byFit(types, writer)) {
    try {
      return { branch, resolver: branch.createResolver(writer, options) }
    } catch {
      // The next one may.
    }
  }
  return null
}

/** Of branches that differ in JavaScript: the values are those of the branches. */
export class PlainUnionType extends avscTypes.UnwrappedUnionType {
  override _update(target: Partial<AvscResolver>, writer: AvscType, options: object): void {
    const found = resolve(this, writer, options)
    if (found === null) return
    const { resolver } = found
    target._read = (tap) => resolver._read(tap)
  }
}

/** Of branches that do not: `{ branch: value }`, null for null. */
export class TaggedUnionType extends avscTypes.WrappedUnionType {
  override _update(target: Partial<AvscResolver>, writer: AvscType, options: object): void {
    const found = resolve(this, writer, options)
    if (found === null) return
    const { resolver, branch } = found
    const { branchName } = branch
    target._read = branchName === 'null' ? () => null : (tap) => ({ [branchName!]: resolver._read(tap) })
  }
}
