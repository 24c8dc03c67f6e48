/** The bugs that `npm run test:faults -- --plant` puts into the sources: each has its patch, which still applies. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { plants } from '../../faults/planted/plants.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const folder = 'test/faults/planted'

test('every patch is told of in the table, and every plant has one', () => {
  const patches = readdirSync(path.join(root, folder)).filter((file) => file.endsWith('.patch'))
  assert.deepEqual(patches.sort(), plants.map(({ name }) => `${name}.patch`).sort())
})

for (const { name } of plants) {
  const patch = `${folder}/${name}.patch`

  test(`${name} applies to the sources, and changes nothing else`, () => {
    const { status, stderr } = spawnSync('git', ['apply', '--check', patch], { cwd: root, encoding: 'utf8' })
    assert.equal(status, 0, `${patch} no longer applies: ${stderr}`)
    const files = [...readFileSync(path.join(root, patch), 'utf8').matchAll(/^\+\+\+ b\/(.*)$/gm)]
    assert.ok(files.length > 0)
    for (const [, file] of files) assert.match(file!, /^(src|native)\//)
  })
}
