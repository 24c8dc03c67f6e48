import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before, describe } from 'node:test'
import { fileURLToPath } from 'node:url'

import { reportState } from '../../../src/cli/state-command.ts'
import { inspectStateFolder } from '../../../src/cli/state-folder.ts'
import { WeirError } from '../../../src/errors/weir-error.ts'
import { MockCluster, Producer, StateMemory, TaskDatabase } from '../../../src/native.ts'
import { StateDirectory } from '../../../src/runtime/state-directory.ts'
import { smallStateMemory } from '../../support/state-memory.ts'
import { applyRows, type Row } from '../native/rows.ts'

const HOUR_MS = 3_600_000
const names = Array.from({ length: 300 }, (_, index) => `user-${1_000 + index}`)
let folder = ''
let app = ''
let writtenAtMs = 0

/** A window's key as it is on disk. */
function windowKey(key: string, startMs: number): string {
  const bytes = Buffer.alloc(8 + key.length + 12)
  bytes.writeBigInt64BE(BigInt(Math.floor(startMs / HOUR_MS)), 0)
  bytes.write(key, 8, 'latin1')
  bytes.writeBigInt64BE(BigInt(startMs), 8 + key.length)
  return bytes.toString('latin1')
}

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-state-command-'))
  const directory = await StateDirectory.open(folder, 'shop')
  app = directory.path
  const cluster = new MockCluster({ brokers: 1 })
  cluster.createTopic('users', 12)
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '0' })
  producer.topic('users', 12)
  const memory = StateMemory.acquire(smallStateMemory)
  for (const partition of [2, 10]) {
    const database = await TaskDatabase.open(memory, {
      path: path.join(app, `0_${partition}`),
      partition,
      stores: [
        { name: 'users', timestamped: false, changelogTopic: 'users' },
        {
          name: 'visits',
          timestamped: false,
          changelogTopic: null,
          segments: { retentionMs: 48 * HOUR_MS, intervalMs: HOUR_MS, suffixBytes: 12 },
        },
        { name: 'empty', timestamped: false, changelogTopic: null },
        { name: 'orders#loaded', timestamped: true, changelogTopic: null },
      ],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: HOUR_MS,
    })
    applyRows(
      database,
      0,
      names.map((key): Row => ({ key, value: `name of ${key}` })),
    )
    applyRows(
      database,
      1,
      [3, 4, 4, 7].map(
        (hour, index): Row => ({ key: windowKey(`w${index}`, hour * HOUR_MS + index), value: 'x' }),
      ),
    )
    applyRows(
      database,
      3,
      ['\0\u0003ann', '\0\u0003ben7', '\0\u0003ben\0'].map((key): Row => ({ key, value: '\0'.repeat(8) })),
    )
    await database.drain(producer)
    await producer.flush(10_000)
    await database.commit()
    writtenAtMs = database.offsets()[0]!.writtenAtMs
    await database.close()
  }
  memory.close()
  await producer.close()
  cluster.close()
  await directory.close()
  await mkdir(path.join(app, '0_3.damaged'))
})

after(() => rm(folder, { recursive: true }))

/** Every file with its size and the time of its last change. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  const lines = entries.map(async (entry) => {
    const file = path.join(entry.parentPath, entry.name)
    const { size, mtimeMs } = await stat(file)
    return `${file} ${size} ${mtimeMs}`
  })
  return (await Promise.all(lines)).sort()
}

const refusal = async (directory: string): Promise<WeirError> => {
  const error: unknown = await inspectStateFolder(directory, { count: false }).catch(
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof WeirError, String(error))
  return error
}

describe('weir state', () => {
  test('tells what was put there, and changes nothing', async () => {
    const before = await filesIn(folder)
    const report = await reportState(folder, { json: true, count: true, nowMs: 0 })
    assert.deepEqual(await filesIn(folder), before)
    assert.equal(report.damage, null)
    const { applications } = JSON.parse(report.text)
    assert.equal(applications.length, 1)
    const { applicationId, tasks, others } = applications[0]
    assert.equal(applicationId, 'shop')
    assert.deepEqual(others, ['0_3.damaged'])
    assert.deepEqual(
      tasks.map(({ task }: { task: string }) => task),
      ['0_2', '0_10'],
    )
    for (const { stores, bytes } of tasks) {
      const [empty, , users, visits] = stores
      assert.deepEqual([empty.name, empty.keys, empty.files, empty.firstKey], ['empty', 0, 0, null])
      assert.deepEqual([users.name, users.kind, users.keys], ['users', 'key-value', 300])
      assert.deepEqual([users.firstKey.text, users.lastKey.text], [names[0], names.at(-1)])
      assert.equal(users.firstKey.hex, Buffer.from(names[0]!).toString('hex'))
      // Each key was produced once.
      assert.equal(users.offset.offset, 300)
      assert.ok(users.offset.writtenAtMs > 0 && users.files === 1 && users.bytes > 0)
      assert.deepEqual(
        [visits.name, visits.kind, visits.keys, visits.offset],
        ['visits', 'segmented', 4, null],
      )
      assert.equal(visits.segmented.streamTimeMs, 7 * HOUR_MS + 3)
      assert.deepEqual(
        visits.segmented.segments.map(({ fromMs, keys }: { fromMs: number; keys: number }) => [
          fromMs / HOUR_MS,
          keys,
        ]),
        [
          [3, 1],
          [4, 2],
          [7, 1],
        ],
      )
      assert.equal(
        visits.firstKey.hex,
        Buffer.from(windowKey('w0', 3 * HOUR_MS), 'latin1').toString('hex', 8),
      )
      assert.ok(bytes > users.bytes + visits.bytes)
    }
  })

  test('is a table for people', async () => {
    const { text } = await reportState(app, { json: false, count: false, nowMs: writtenAtMs + 3 * HOUR_MS })
    assert.match(text, /^task +store +kind +keys \(estimated\) +bytes +files +offset +age +key range$/m)
    assert.match(text, /^0_2 +users +key-value +300 +\S+ \w+ +1 +300 +3 h +"user-1000" \.\. "user-1299"$/m)
    assert.match(text, /^0_10 +empty +key-value +0 +0 B +0 +- +- +\(empty\)$/m)
    assert.match(
      text,
      /^task 0_2, store visits: stream time 1970-01-01T07:00:00\.003Z, 3 segments of 60 min$/m,
    )
    assert.match(text, /^ {2}from 1970-01-01T04:00:00\.000Z: about /m)
    assert.match(text, /^besides: 0_3\.damaged$/m)
  })

  test('tells kinds as the task itself does, and reads one task alone', async () => {
    const copy = path.join(folder, 'copy')
    await cp(path.join(app, '0_2'), copy, { recursive: true })
    const stores = {
      visits: { rows: 'window, segments of 3600000 ms', changelog: 'window', key: 'string', value: 'json' },
    }
    const orders = { rows: 'tiered-by-prefix', changelog: 'tiered-by-prefix', key: 'string', value: 'json' }
    await writeFile(
      path.join(copy, 'stores.json'),
      JSON.stringify({ format: 1, stores: { ...stores, orders } }),
    )
    const { text } = await reportState(copy, { json: false, count: true, nowMs: 0 })
    assert.match(text, /^copy +visits +window +4 /m)
    // What says that a prefix is here has no rest; and text is shown as such, part by part.
    assert.match(text, /^copy +orders#loaded +tiered-by-prefix, loaded +3 .* "ann" \.\. "ben" "7" *$/m)
    await rm(copy, { recursive: true })
  })

  test('refuses what is no state folder, in one line', async () => {
    assert.match(
      (await refusal(path.join(folder, 'nowhere'))).message,
      /nowhere is no state folder: there is no such folder; /,
    )
    assert.match(
      (await refusal(path.join(app, 'weir.json'))).message,
      /it is no folder; expected a WEIR_STATE_DIR, /,
    )
    const other = await mkdtemp(path.join(tmpdir(), 'weir-other-'))
    await writeFile(path.join(other, 'photo.jpg'), 'x')
    const error = await refusal(other)
    assert.equal(error.code, 'config-invalid')
    assert.match(error.message, /neither a weir\.json nor a task's database/)
    await writeFile(path.join(other, 'weir.json'), '{"format":9,"applicationId":"a","processId":"b"}')
    assert.equal((await refusal(other)).code, 'state-dir-foreign')
    await rm(other, { recursive: true })
  })

  test('refuses a folder that a worker uses, and names the worker', async () => {
    const directory = await StateDirectory.open(folder, 'shop')
    try {
      for (const given of [folder, app, path.join(app, '0_2')]) {
        const error = await refusal(given)
        assert.equal(error.code, 'state-dir-locked')
        assert.match(
          error.message,
          new RegExp(`in use: process ${process.pid} on .*; stop it, or inspect a copy$`),
        )
      }
    } finally {
      await directory.close()
    }
    assert.equal((await inspectStateFolder(app, { count: false })).length, 1)
  })

  test('refuses a database that another process has open, whatever the lock file says', async () => {
    const copy = path.join(folder, 'held')
    await cp(path.join(app, '0_2'), copy, { recursive: true })
    const holder = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../support/hold-database.ts', import.meta.url)), copy],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    const ended = once(holder, 'exit')
    try {
      await once(holder.stdout, 'data')
      const error = await refusal(copy)
      assert.equal(error.code, 'state-dir-locked')
      assert.match(error.message, new RegExp(`is in use by process ${holder.pid}$`))
    } finally {
      holder.stdin.end()
      await ended
    }
    await rm(copy, { recursive: true })
  })

  test('a damaged task is told, beside those that are not', async () => {
    const state = path.join(folder, 'state')
    const broken = path.join(state, 'shop')
    await cp(app, broken, { recursive: true })
    const files = await readdir(path.join(broken, '0_2'))
    const manifest = files.find((name) => name.startsWith('MANIFEST'))!
    await truncate(path.join(broken, '0_2', manifest), 100)
    const { text, damage } = await reportState(state, { json: false, count: false, nowMs: 0 })
    assert.equal(damage?.code, 'state-corrupt')
    assert.match(damage.message, /^task 0_2: The state database .*0_2 cannot be read: Corruption/)
    assert.match(text, /^0_2 +\(damaged\)$/m)
    assert.match(text, /^0_10 +users +key-value +300 /m)

    // A block whose bytes have changed is found by whoever reads every row.
    const task = path.join(broken, '0_10')
    const sizes = await Promise.all(
      (await readdir(task))
        .filter((name) => name.endsWith('.sst'))
        .map(async (name) => {
          const file = path.join(task, name)
          return { file, size: (await stat(file)).size }
        }),
    )
    const largest = sizes.sort((a, b) => b.size - a.size)[0]!
    const bytes = await readFile(largest.file)
    await copyFile(largest.file, `${largest.file}.before`)
    bytes[Math.floor(bytes.length / 3)]! ^= 0xff
    await writeFile(largest.file, bytes)
    const counted = await reportState(task, { json: true, count: true, nowMs: 0 })
    assert.match(counted.damage?.message ?? '', /^task 0_10: .*Corruption/)
    await rm(state, { recursive: true })
  })
})
