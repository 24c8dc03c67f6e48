import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { StoreLayouts } from '../../../src/runtime/store-layouts.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'

const common = { name: 'store', key: serdes.string, value: serdes.int64 }
const windows = { ...common, retentionMs: 600_000, windowSizeMs: 1_000 }
const unlogged = { ...common, logging: false }

describe('StoreLayouts', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weir-layouts-'))
  })
  after(() => rm(folder, { recursive: true }))

  /** What a store with rows of the first definition becomes under the second. */
  async function compare(first: StoreDefinition, then: StoreDefinition): Promise<string | null> {
    await rm(path.join(folder, 'stores.json'), { force: true })
    await (await StoreLayouts.read(folder)).add([first])
    return (await StoreLayouts.read(folder)).compare(then)?.code ?? null
  }

  const cases: [string, StoreDefinition, StoreDefinition, string | null][] = [
    ['the same', stores.keyValue(common), stores.keyValue(common), null],
    [
      'another name of the same bytes',
      stores.keyValue(common),
      stores.keyValue({ ...common, value: serdes.bigint64 as never }),
      null,
    ],
    ['timestamps', stores.keyValue(common), stores.timestampedKeyValue(common), 'store-type-changed'],
    [
      'into memory',
      stores.keyValue(common),
      stores.keyValue({ ...common, inMemory: true }),
      'store-type-changed',
    ],
    [
      'a limit in memory',
      stores.keyValue({ ...common, inMemory: true }),
      stores.keyValue({ ...common, entriesMax: 9 }),
      null,
    ],
    ['window timestamps', stores.window(windows), stores.timestampedWindow(windows), 'store-type-changed'],
    [
      'other segments',
      stores.window(windows),
      stores.window({ ...windows, retentionMs: 900_000 }),
      'store-type-changed',
    ],
    ['another window size', stores.window(windows), stores.window({ ...windows, windowSizeMs: 2_000 }), null],
    ['window to key-value', stores.window(windows), stores.keyValue(common), 'store-changed'],
    [
      'key-value to window',
      stores.timestampedKeyValue(common),
      stores.timestampedWindow(windows),
      'store-changed',
    ],
    [
      'window to session',
      stores.window(windows),
      stores.session({ ...common, retentionMs: 600_000 }),
      'store-changed',
    ],
    [
      'another key',
      stores.keyValue(common),
      stores.keyValue({ ...common, key: serdes.bytes as never }),
      'store-changed',
    ],
    [
      'another value',
      stores.keyValue(common),
      stores.keyValue({ ...common, value: serdes.float64 }),
      'store-changed',
    ],
    [
      'timestamps without a changelog',
      stores.keyValue(unlogged),
      stores.timestampedKeyValue(unlogged),
      'store-changed',
    ],
    [
      'into memory without a changelog',
      stores.keyValue(unlogged),
      stores.keyValue({ ...unlogged, inMemory: true }),
      null,
    ],
  ]
  for (const [what, first, then, code] of cases) {
    test(`${what}: ${code ?? 'taken over'}`, async () => assert.equal(await compare(first, then), code))
  }

  test('a store that went keeps its entry; what is known is not overwritten by add, but by set', async () => {
    await rm(path.join(folder, 'stores.json'), { force: true })
    const layouts = await StoreLayouts.read(folder)
    const other = stores.keyValue({ ...common, name: 'other' })
    await layouts.add([stores.keyValue(common)])
    await layouts.add([other, stores.timestampedKeyValue(common)])
    const again = await StoreLayouts.read(folder)
    assert.equal(again.compare(stores.keyValue(common)), null)
    assert.equal(again.compare(other), null)
    await again.set([stores.timestampedKeyValue(common)])
    assert.equal((await StoreLayouts.read(folder)).compare(stores.timestampedKeyValue(common)), null)
    assert.deepEqual(JSON.parse(await readFile(path.join(folder, 'stores.json'), 'utf8')), {
      format: 1,
      stores: {
        store: { rows: 'timestamped-key-value', changelog: 'key', key: 'string', value: 'int64' },
        other: { rows: 'key-value', changelog: 'key', key: 'string', value: 'int64' },
      },
    })
  })

  test('a file that cannot be understood is damage', async () => {
    for (const text of ['', '{"format"', '{"format": 2, "stores": {}}', 'null']) {
      await writeFile(path.join(folder, 'stores.json'), text)
      await assert.rejects(StoreLayouts.read(folder), { code: 'state-corrupt', message: /stores\.json/ })
    }
  })
})
