import { describeMachine } from '../../src/config/machine.ts'
import { readSettings } from '../../src/config/settings.ts'
import { at } from './yaml.ts'

/** What stands for a value that is known only where the pod or the container runs. */
const PLACEHOLDER = 'weir-0'

/** The environment of the service `weir` of a Compose file. */
export function composeEnvironment(document: unknown): Record<string, string> {
  const environment = (at(document, 'services', 'weir', 'environment') ?? {}) as Record<string, unknown>
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]))
}

/** The environment of a pod's first container: its own variables, over those of the ConfigMaps that it names. */
export function podEnvironment(podSpec: unknown, manifests: readonly unknown[]): Record<string, string> {
  const container = at(podSpec, 'containers', 0)
  const environment: Record<string, string> = {}
  for (const source of (at(container, 'envFrom') ?? []) as unknown[]) {
    const name = at(source, 'configMapRef', 'name')
    const map = manifests.find(
      (manifest) => at(manifest, 'kind') === 'ConfigMap' && at(manifest, 'metadata', 'name') === name,
    )
    for (const [key, value] of Object.entries(at(map, 'data') ?? {})) environment[key] = String(value)
  }
  for (const variable of (at(container, 'env') ?? []) as unknown[]) {
    const value = at(variable, 'value')
    environment[String(at(variable, 'name'))] = value === undefined ? PLACEHOLDER : String(value)
  }
  return environment
}

/** What Weir would say of these settings at its start; files of secrets are not here. */
export function settingsProblems(environment: Readonly<Record<string, string>>): string[] {
  return readSettings(environment, describeMachine()).problems.filter(
    (line) => !/_FILE=.*cannot be read/.test(line),
  )
}

/** `WEIR_` names in a text that are no settings of Weir's: misspelled, or gone. What stands for several (`WEIR_..._FILE`) is none. */
export function unknownVariables(text: string): string[] {
  const names = [...text.matchAll(/\bWEIR_[A-Z0-9_]*[A-Z0-9]\b(?!_)/g)].map(([name]) => [name, '1'] as const)
  const { problems } = readSettings(Object.fromEntries(names), describeMachine())
  return problems.flatMap((line) => /^(WEIR_\w+) is no setting/.exec(line)?.[1] ?? [])
}
