/** `npm run check` finds what is wrong with deploy/: the real files have no fault, and each fault that is put into them is told. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { KubernetesSchemas } from '../../../scripts/deploy/kubernetes.ts'
import { deployProblems } from '../../../scripts/deploy/problems.ts'
import { toolchainDir } from '../../services/toolchain.ts'

const root = resolve(import.meta.dirname, '../../..')

interface Fault {
  readonly what: string
  /** Relative to the repository. */
  readonly file: string
  readonly replace: readonly [string | RegExp, string]
  /** How the line begins that tells it. */
  readonly told: RegExp
}

const statefulSet = 'deploy/kubernetes/stateful-set.yaml'
const scaledObject = 'deploy/kubernetes/examples/scaled-object.yaml'
const compose = 'deploy/compose.yaml'

const faults: readonly Fault[] = [
  {
    what: 'a field that the API does not know',
    file: statefulSet,
    replace: ['livenessProbe:', 'livenesProbe:'],
    told: /StatefulSet weir: spec\.template\.spec\.containers\.0 must NOT have additional properties: livenesProbe/,
  },
  {
    what: 'a field of another type',
    file: statefulSet,
    replace: ['replicas: 3', 'replicas: three'],
    told: /StatefulSet weir: spec\.replicas must be integer/,
  },
  {
    what: 'a field that is missing',
    file: statefulSet,
    replace: [/ {2}selector:\n {4}matchLabels:\n.*\n/, ''],
    told: /StatefulSet weir: spec must have required property 'selector'/,
  },
  {
    what: 'a kind that the version does not have',
    file: 'deploy/kubernetes/pod-disruption-budget.yaml',
    replace: ['policy/v1', 'policy/v1beta1'],
    told: /PodDisruptionBudget weir: policy\/v1beta1 has no such kind/,
  },
  {
    what: 'a label that is no text',
    file: 'deploy/kubernetes/settings.yaml',
    replace: ['WEIR_NUM_STREAM_THREADS: "4"', 'WEIR_NUM_STREAM_THREADS: 4'],
    told: /ConfigMap weir-settings: data\.WEIR_NUM_STREAM_THREADS must be/,
  },
  {
    what: 'a key that is there twice',
    file: statefulSet,
    replace: ['  replicas: 3', '  replicas: 3\n  replicas: 4'],
    told: /stateful-set\.yaml: Map keys must be unique/,
  },
  {
    what: "a number in a KEDA trigger's metadata",
    file: scaledObject,
    replace: ['"5000000"', '5000000'],
    told: /ScaledObject weir: spec\.triggers\.0\.metadata\.lagThreshold must be string/,
  },
  {
    what: "a field that KEDA's kind does not have",
    file: scaledObject,
    replace: ['maxReplicaCount', 'maxReplicas'],
    told: /ScaledObject weir: spec must NOT have additional properties: maxReplicas/,
  },
  {
    what: "a field that Compose's services do not have",
    file: compose,
    replace: ['stop_grace_period: 45s', 'stop_grace: 45s'],
    told: /compose\.yaml: services\.weir must NOT have additional properties: stop_grace/,
  },
  {
    what: 'a setting of Weir with a slip',
    file: compose,
    replace: ['WEIR_APPLICATION_ID: word-count', 'WEIR_APLICATION_ID: word-count'],
    told: /compose\.yaml: WEIR_APLICATION_ID is no setting of Weir/,
  },
  {
    what: 'a setting that is missing, in a ConfigMap',
    file: 'deploy/kubernetes/settings.yaml',
    replace: [/ {2}WEIR_BOOTSTRAP_SERVERS:.*\n/, ''],
    told: /StatefulSet weir: WEIR_BOOTSTRAP_SERVERS is not set/,
  },
  {
    what: 'a value that Weir does not take',
    file: compose,
    replace: ['WEIR_COMMIT_INTERVAL_MS: "1000"', 'WEIR_COMMIT_INTERVAL_MS: 1s'],
    told: /compose\.yaml: service weir: WEIR_COMMIT_INTERVAL_MS=1s: expected an integer/,
  },
  {
    what: 'a setting that is not there, in the Dockerfile',
    file: 'Dockerfile',
    replace: ['WEIR_HTTP_HOST=0.0.0.0', 'WEIR_HTTP_ADDRESS=0.0.0.0'],
    told: /^Dockerfile: WEIR_HTTP_ADDRESS is no setting of Weir/,
  },
  {
    what: 'a setting that is not there, in a text',
    file: 'deploy/README.md',
    replace: ['`WEIR_SESSION_TIMEOUT_MS`', '`WEIR_SESSION_TIMEOUT`'],
    told: /README\.md: WEIR_SESSION_TIMEOUT is no setting of Weir/,
  },
]

describe('what deploys Weir', () => {
  let folder = ''
  let schemas: KubernetesSchemas
  before(() => {
    schemas = new KubernetesSchemas(join(toolchainDir(), 'current/kubernetes-schemas'))
    folder = mkdtempSync(join(tmpdir(), 'weir-deploy-'))
    cpSync(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true })
    cpSync(join(root, 'Dockerfile'), join(folder, 'Dockerfile'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('has no fault', () => {
    assert.deepEqual(deployProblems(root, schemas), [])
  })

  for (const { what, file, replace, told } of faults) {
    test(`is not taken with ${what}`, (context) => {
      const path = join(folder, file)
      const text = readFileSync(path, 'utf8')
      context.after(() => writeFileSync(path, text))
      const broken = text.replace(...(replace as [string, string]))
      assert.notEqual(broken, text)
      writeFileSync(path, broken)
      const problems = deployProblems(folder, schemas)
      assert.ok(
        problems.some((line) => told.test(line)),
        `${told} is not among:\n${problems.join('\n')}`,
      )
    })
  }
})
