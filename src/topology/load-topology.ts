import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { isErrorCode } from '../errors/codes.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TopologyDefinition } from './definition.ts'

/**
 * The URL of a module given as a path, relative to the working directory.
 *
 * @throws WeirError module-not-loaded when there is no such file
 */
export function moduleUrlOf(path: string): string {
  const absolute = resolve(path)
  const found = statSync(absolute, { throwIfNoEntry: false })
  if (found === undefined) throw new WeirError('module-not-loaded', `${path}: there is no such file`)
  if (!found.isFile()) throw new WeirError('module-not-loaded', `${path}: not a file`)
  return pathToFileURL(absolute).href
}

/**
 * Imports a module and takes the topology that it exports by default, as `defineTopology` made it.
 *
 * @param moduleUrl an absolute file URL
 * @throws WeirError module-not-loaded or topology-invalid, with the module's path in its line
 */
export async function loadTopology(moduleUrl: string): Promise<TopologyDefinition> {
  const path = moduleUrl.startsWith('file:') ? fileURLToPath(moduleUrl) : moduleUrl
  let exports: Record<string, unknown>
  try {
    exports = (await import(moduleUrl)) as Record<string, unknown>
  } catch (error) {
    // A topology that contradicts itself says so while its module runs; anything else is the module's own failure.
    const code = (error as { code?: unknown } | null)?.code
    const own = isErrorCode(code) ? code : 'module-not-loaded'
    throw new WeirError(own, `${path}: ${messageOf(error)}`, { cause: error })
  }
  if (isTopology(exports.default)) return exports.default
  const named = Object.keys(exports).find((name) => isTopology(exports[name]))
  const hint = named === undefined ? '' : `; ${named} is a topology: export it as default`
  throw new WeirError(
    'topology-invalid',
    `${path}: its default export is no topology (export default defineTopology(...))${hint}`,
  )
}

function isTopology(value: unknown): value is TopologyDefinition {
  if (typeof value !== 'object' || value === null) return false
  const { subtopologies, repartitionTopics } = value as Partial<Record<keyof TopologyDefinition, unknown>>
  return Array.isArray(subtopologies) && Array.isArray(repartitionTopics)
}
