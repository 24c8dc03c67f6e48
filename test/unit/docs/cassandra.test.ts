/** The examples of docs/cassandra.md. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

import { errorCodes } from '../../../src/errors/codes.ts'
import { type CassandraTable, serdes } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import type { TopologyModule } from '../../../src/topology/topology-module.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const page = readFileSync(path.join(root, 'docs/cassandra.md'), 'utf8')

test('the topology compiles, and its rows are those of the page', async () => {
  const [, code] = /```ts\n(.*?)```/s.exec(page)!
  mkdirSync(path.join(root, 'build'), { recursive: true })
  const folder = mkdtempSync(path.join(root, 'build/docs-'))
  try {
    const file = path.join(folder, 'segments.ts')
    writeFileSync(file, code!.replace("'weir'", "'../../src/index.ts'"))
    const project = path.join(folder, 'tsconfig.json')
    writeFileSync(
      project,
      JSON.stringify({
        extends: '../../tsconfig.json',
        files: [file],
        include: ['../../src/**/*.d.ts'],
        exclude: [],
      }),
    )
    const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [compiler, '--noEmit', '-p', project], {
      encoding: 'utf8',
      cwd: folder,
    })
    assert.equal(stdout, '')

    const module = (await import(pathToFileURL(file).href)) as {
      default: TopologyModule
      profiles: CassandraTable<never, never>
    }
    await using driver = await TopologyTestDriver.open(module.default)
    const input = driver.createInputTopic('profiles', { key: serdes.string, value: serdes.json() })
    const [, example] = /```js\n(await input\.pipeInput.*?)```/s.exec(page)!
    const run = new Function('input', 'assert', 'driver', 'profiles', `return (async () => { ${example} })()`)
    await run(input, assert, driver, module.profiles)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('errors that are named there are those of the table', () => {
  const named = [...page.matchAll(/`(cassandra-[a-z]+)`/g)].map(([, code]) => code!)
  assert.ok(named.length > 0)
  for (const code of named) assert.ok(Object.hasOwn(errorCodes, code), code)
})
