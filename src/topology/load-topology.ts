import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { type ErrorCode, isErrorCode } from '../errors/codes.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TopologyDefinition } from './definition.ts'
import { isTopologyModule, type TopologyModule } from './topology-module.ts'

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
 * Imports a module and takes the topology that it exports by default: what `defineTopology` returned, or a `Topology`.
 *
 * @param moduleUrl an absolute file URL
 * @throws WeirError module-not-loaded or topology-invalid, with the module's path in its line
 */
export async function loadTopologyModule(moduleUrl: string): Promise<TopologyModule> {
  const path = pathOf(moduleUrl)
  let exports: Record<string, unknown>
  try {
    exports = (await import(moduleUrl)) as Record<string, unknown>
  } catch (error) {
    throw failure(path, 'module-not-loaded', error)
  }
  if (isTopologyModule(exports.default)) return exports.default
  const named = Object.keys(exports).find((name) => isTopologyModule(exports[name]))
  const hint = named === undefined ? '' : `; ${named} is a topology: export it as default`
  throw new WeirError(
    'topology-invalid',
    `${path}: its default export is no topology (export default defineTopology(...))${hint}`,
  )
}

/**
 * Imports a module and builds the topology that it exports by default.
 *
 * @param moduleUrl an absolute file URL
 * @param optimization what WEIR_TOPOLOGY_OPTIMIZATION says, for a topology that does not say itself
 * @throws WeirError module-not-loaded or topology-invalid, with the module's path in its line
 */
export async function loadTopology(moduleUrl: string, optimization: string): Promise<TopologyDefinition> {
  const module = await loadTopologyModule(moduleUrl)
  try {
    return module.build(optimization)
  } catch (error) {
    throw failure(pathOf(moduleUrl), 'topology-invalid', error)
  }
}

function pathOf(moduleUrl: string): string {
  return moduleUrl.startsWith('file:') ? fileURLToPath(moduleUrl) : moduleUrl
}

/** An error that Weir names keeps its code: a Topology that contradicts itself says so while its module runs. */
function failure(path: string, fallback: ErrorCode, error: unknown): WeirError {
  const code = (error as { code?: unknown } | null)?.code
  return new WeirError(isErrorCode(code) ? code : fallback, `${path}: ${messageOf(error)}`, { cause: error })
}
