import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { composeProblems } from './compose.ts'
import { type KubernetesSchemas, manifestProblems } from './kubernetes.ts'
import { podEnvironment, settingsProblems, unknownVariables } from './settings.ts'
import { at, parseYaml } from './yaml.ts'

/**
 * Everything that is wrong with what deploys Weir: compose.yaml and the manifests by their schemas, the settings in them by Weir's own table, and every
 * `WEIR_` name in any of the files.
 *
 * @param root the folder that has `deploy/` and the Dockerfile
 * @returns a line for each; nothing is wrong when there are none
 */
export function deployProblems(root: string, schemas: KubernetesSchemas): string[] {
  const files = readdirSync(join(root, 'deploy'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
  const problems: string[] = []
  const manifests: unknown[] = []
  for (const file of [...files, 'Dockerfile']) {
    const text = readFileSync(join(root, file), 'utf8')
    problems.push(...unknownVariables(text).map((name) => `${file}: ${name} is no setting of Weir`))
    if (!/\.ya?ml$/.test(file)) continue
    if (file.startsWith(join('deploy', 'kubernetes'))) {
      problems.push(...manifestProblems(file, text, schemas))
      manifests.push(...parseYaml(file, text).documents)
    } else if (file === join('deploy', 'compose.yaml')) problems.push(...composeProblems(file, text))
    else problems.push(...parseYaml(file, text).problems)
  }
  for (const manifest of manifests) {
    if (at(manifest, 'kind') !== 'StatefulSet') continue
    const environment = podEnvironment(at(manifest, 'spec', 'template', 'spec'), manifests)
    const name = `deploy/kubernetes: StatefulSet ${String(at(manifest, 'metadata', 'name'))}`
    problems.push(...settingsProblems(environment).map((line) => `${name}: ${line}`))
  }
  return problems
}
