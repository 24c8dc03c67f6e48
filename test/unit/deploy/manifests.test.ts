/** What no schema says: the parts of deploy/ fit each other, and the image. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'

import { composeEnvironment, podEnvironment } from '../../../scripts/deploy/settings.ts'
import { at, parseYaml } from '../../../scripts/deploy/yaml.ts'

const root = resolve(import.meta.dirname, '../../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const documentsOf = (file: string): readonly unknown[] => parseYaml(file, read(file)).documents

const folder = 'deploy/kubernetes'
const manifests = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => documentsOf(join(folder, file)))
const theOnly = (kind: string): unknown => {
  const found = manifests.filter((manifest) => at(manifest, 'kind') === kind)
  assert.equal(found.length, 1, kind)
  return found[0]
}
const dockerfile = read('Dockerfile')
const inImage = (name: string): string => new RegExp(`${name}=(\\S+)`).exec(dockerfile)?.[1] ?? ''
const seconds = (duration: unknown): number => Number(/^(\d+)s$/.exec(String(duration))?.[1])

describe('the StatefulSet', () => {
  const spec = at(theOnly('StatefulSet'), 'spec')
  const pod = at(spec, 'template', 'spec')
  const container = at(pod, 'containers', 0)
  const environment = podEnvironment(pod, manifests)

  test('gives a stop longer than Weir takes at the most', () => {
    const graceMs = Number(at(pod, 'terminationGracePeriodSeconds')) * 1_000
    assert.ok(graceMs >= Number(environment.WEIR_SHUTDOWN_TIMEOUT_MS) + 30_000, `${graceMs} ms`)
  })

  test('makes each pod a static member by its name, whose session outlasts a stop and the start after it', () => {
    const variable = (at(container, 'env') as unknown[]).find(
      (one) => at(one, 'name') === 'WEIR_GROUP_INSTANCE_ID',
    )
    assert.equal(at(variable, 'valueFrom', 'fieldRef', 'fieldPath'), 'metadata.name')
    assert.ok(
      Number(environment.WEIR_SESSION_TIMEOUT_MS) >= Number(environment.WEIR_SHUTDOWN_TIMEOUT_MS) + 30_000,
    )
  })

  test("has its volume where the image keeps state, and runs as the image's user", () => {
    const mounts = at(container, 'volumeMounts') as unknown[]
    const state = mounts.find((mount) => at(mount, 'mountPath') === inImage('WEIR_STATE_DIR'))
    assert.equal(at(state, 'name'), at(spec, 'volumeClaimTemplates', 0, 'metadata', 'name'))
    const user = /^USER (\d+):(\d+)$/m.exec(dockerfile)
    assert.equal(String(at(pod, 'securityContext', 'runAsUser')), user?.[1])
    assert.equal(String(at(pod, 'securityContext', 'fsGroup')), user?.[2])
  })

  test('is probed where Weir answers', () => {
    const port = (at(container, 'ports') as unknown[]).find((one) => at(one, 'name') === 'http')
    assert.equal(String(at(port, 'containerPort')), inImage('WEIR_HTTP_PORT'))
    for (const [probe, path] of [
      ['startupProbe', '/healthz'],
      ['livenessProbe', '/healthz'],
      ['readinessProbe', '/readyz'],
    ] as const) {
      assert.equal(at(container, probe, 'httpGet', 'path'), path)
      assert.equal(at(container, probe, 'httpGet', 'port'), 'http')
    }
  })

  test('has as many threads as cores, and its pods are what service, budget and policy select', () => {
    assert.equal(environment.WEIR_NUM_STREAM_THREADS, at(container, 'resources', 'requests', 'cpu'))
    const labels = at(spec, 'template', 'metadata', 'labels')
    assert.deepEqual(at(spec, 'selector', 'matchLabels'), labels)
    assert.deepEqual(at(theOnly('Service'), 'spec', 'selector'), labels)
    assert.equal(at(theOnly('Service'), 'metadata', 'name'), at(spec, 'serviceName'))
    assert.deepEqual(at(theOnly('PodDisruptionBudget'), 'spec', 'selector', 'matchLabels'), labels)
    assert.deepEqual(at(theOnly('NetworkPolicy'), 'spec', 'podSelector', 'matchLabels'), labels)
    assert.equal(
      at(spec, 'volumeClaimTemplates', 0, 'spec', 'storageClassName'),
      at(theOnly('StorageClass'), 'metadata', 'name'),
    )
  })

  test('is scaled by the lag of its own group, of topics at its own brokers', () => {
    const scaled = at(theOnly('ScaledObject'), 'spec')
    assert.equal(at(scaled, 'scaleTargetRef', 'name'), at(theOnly('StatefulSet'), 'metadata', 'name'))
    const metadata = at(scaled, 'triggers', 0, 'metadata')
    assert.equal(at(metadata, 'consumerGroup'), environment.WEIR_APPLICATION_ID)
    assert.equal(at(metadata, 'bootstrapServers'), environment.WEIR_BOOTSTRAP_SERVERS)
  })

  test('and all that belongs to it is applied together, the examples excepted', () => {
    const listed = at(theOnly('Kustomization'), 'resources') as string[]
    const there = readdirSync(join(root, folder)).filter((file) => file.endsWith('.yaml'))
    assert.deepEqual([...listed, 'kustomization.yaml'].sort(), there.sort())
  })
})

describe('compose.yaml', () => {
  const [document] = documentsOf('deploy/compose.yaml')
  const weir = at(document, 'services', 'weir')

  test('gives a stop longer than Weir takes at the most', () => {
    const { WEIR_SHUTDOWN_TIMEOUT_MS } = composeEnvironment(document)
    assert.ok(seconds(at(weir, 'stop_grace_period')) * 1_000 > Number(WEIR_SHUTDOWN_TIMEOUT_MS))
  })

  test('runs a topology that is mounted', () => {
    const [, module] = at(weir, 'command') as [string, string]
    const [from, to] = String(at(weir, 'volumes', 0)).split(':') as [string, string]
    assert.match(read(join('deploy', from, module.slice(to.length))), /export default defineTopology/)
  })

  test('listens at this machine alone', () => {
    const services = Object.entries(at(document, 'services') as Record<string, unknown>)
    const ports = services.flatMap(([, service]) => (at(service, 'ports') ?? []) as string[])
    assert.ok(ports.length > 0)
    assert.deepEqual(
      ports.filter((port) => !port.startsWith('127.0.0.1:')),
      [],
    )
  })

  test('has Weir scraped, by the name and the port that it has', () => {
    const [prometheus] = documentsOf('deploy/prometheus/prometheus.yml')
    const found = at(prometheus, 'scrape_configs', 0, 'dns_sd_configs', 0)
    assert.deepEqual(at(found, 'names'), ['weir'])
    assert.equal(String(at(found, 'port')), inImage('WEIR_HTTP_PORT'))
  })
})
