import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { decisionFor } from '../../../src/errors/decision.ts'
import { loadTopology, moduleUrlOf } from '../../../src/topology/load-topology.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-topology-'))
const topologyUrl = new URL('../../../src/topology/topology.ts', import.meta.url).href
const header =
  `import { Topology } from '${topologyUrl}'\n` +
  "const serde: any = { name: 'none', serialize() {}, deserialize() {} }\n"
const topology = "new Topology().addSource('in', { topics: 'words', key: serde, value: serde })"

function moduleOf(name: string, source: string): string {
  const path = join(folder, name)
  writeFileSync(path, source)
  return path
}

describe('loadTopology', () => {
  test('takes the default export of a TypeScript module', async () => {
    const path = moduleOf('good.ts', `${header}export default ${topology}\n`)
    const { subtopologies } = await loadTopology(moduleUrlOf(path), 'none')
    assert.deepEqual(
      subtopologies.map(({ sourceTopics }) => sourceTopics),
      [['words']],
    )
  })

  const refused: readonly (readonly [name: string, source: string, code: string, line: RegExp])[] = [
    ['throws.ts', "throw new Error('a\\nb')", 'module-not-loaded', /throws\.ts: a b$/],
    ['syntax.ts', 'export default (', 'module-not-loaded', /syntax\.ts: /],
    ['enum.ts', 'export enum A { B }', 'module-not-loaded', /enum\.ts: .*enum/i],
    [
      'missing-import.ts',
      "import './nowhere.ts'",
      'module-not-loaded',
      /missing-import\.ts: Cannot find module/,
    ],
    [
      'twice.ts',
      "throw Object.assign(new Error('store counts is defined twice'), { code: 'topology-invalid' })",
      'topology-invalid',
      /twice\.ts: store counts is defined twice$/,
    ],
    [
      'no-source.ts',
      `${header}export default new Topology()`,
      'topology-invalid',
      /no-source\.ts: the topology has no source$/,
    ],
    [
      'nothing.ts',
      'export const a = 1',
      'topology-invalid',
      /nothing\.ts: its default export is no topology \(export default defineTopology\(\.\.\.\)\)$/,
    ],
    [
      'named.ts',
      `${header}export const mine = ${topology}`,
      'topology-invalid',
      /; mine is a topology: export it as default$/,
    ],
  ]
  for (const [name, source, code, line] of refused) {
    test(`${name}: one line with the path, exit code 2`, async () => {
      const path = moduleOf(name, source)
      await assert.rejects(loadTopology(moduleUrlOf(path), 'none'), (error: Error) => {
        assert.match(error.message, line)
        assert.ok(error.message.startsWith(path))
        assert.doesNotMatch(error.message, /\n/)
        assert.deepEqual([decisionFor(error).code, decisionFor(error).exitCode], [code, 2])
        return true
      })
    })
  }

  test('a path without a file', () => {
    assert.throws(() => moduleUrlOf(join(folder, 'none.ts')), /none\.ts: there is no such file$/)
    assert.throws(() => moduleUrlOf(folder), /: not a file$/)
  })
})
