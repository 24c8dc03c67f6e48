/** Checks what deploys Weir, the Dockerfile and deploy/: a line for each thing that is wrong, and exit code 1. Part of `npm run check`. */
import { join, resolve } from 'node:path'

import { toolchainDir } from '../test/services/toolchain.ts'
import { KubernetesSchemas } from './deploy/kubernetes.ts'
import { deployProblems } from './deploy/problems.ts'

const root = resolve(import.meta.dirname, '..')
const problems = deployProblems(
  root,
  new KubernetesSchemas(join(toolchainDir(), 'current/kubernetes-schemas')),
)
for (const problem of problems) console.log(problem)
process.exitCode = problems.length > 0 ? 1 : 0
