import { namedError } from '../errors/named-error.ts'
import type { WeirError } from '../errors/weir-error.ts'

/** Closes everything, the last opened first, whatever fails meanwhile. @returns the first failure, which says most; null without any */
export async function closeResources(resources: AsyncDisposableStack): Promise<WeirError | null> {
  try {
    await resources.disposeAsync()
    return null
  } catch (error) {
    let first: unknown = error
    while (first instanceof SuppressedError) first = first.suppressed
    return namedError(first, 'stopping')
  }
}
