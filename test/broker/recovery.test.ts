/**
 * Local state that does not fit, or is not whole, on a real broker and a real file system: each case is found, told in one line and one metric,
 * and ends with the counts that the changelog says. docs/guarantees.md has the table.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Admin } from '../../src/native.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { createTopic, deleteTopics, endOffsets, produceAll, readAll } from '../services/kafka-client.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { RecoveringApplication, type RecoveryOptions } from '../support/recovering-application.ts'

const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
/** Two records of each key. */
const twice = [...keys, ...keys]

describe('local state that cannot be used', { timeout: 300_000 }, () => {
  let kafka: KafkaService
  const scratch = makeScratchDir('recovery')
  before(async () => {
    // Compacts as soon as there is something to compact.
    kafka = await startKafka({ properties: { 'log.cleaner.backoff.ms': 50 } })
  })
  after(() => kafka.stop())

  const make = (id: string): Promise<RecoveringApplication> =>
    RecoveringApplication.make(kafka.bootstrapServers, scratch, id)

  const all = (count: number): Record<string, number> => Object.fromEntries(keys.map((key) => [key, count]))

  function int64(value: number): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(value))
    return bytes
  }

  /** Starts it once more: it is to have these counts, having begun anew for this reason (null: not at all). */
  async function assertRestored(
    app: RecoveringApplication,
    counts: Record<string, number>,
    reason: string | null,
    options: RecoveryOptions = {},
  ): Promise<void> {
    await using application = await app.start(options)
    assert.deepEqual(await app.counts(application, Object.keys(counts)), counts)
    assert.deepEqual(await app.resets(application), reason === null ? {} : { [reason]: 1 })
    const told = app.lines.filter(({ message }) => message.startsWith('local state is not used'))
    assert.deepEqual(
      told.map(({ task, stores, code }) => ({ task, stores, code })),
      reason === null ? [] : [{ task: '0_0', stores: ['counts'], code: reason }],
    )
  }

  test('what fits is used: nothing is restored', async () => {
    const app = await make('fits')
    await app.run(twice)
    await assertRestored(app, all(2), null)
    assert.ok(!app.lines.some(({ message }) => message === 'a store is restored'))
  })

  test('a changelog that was made anew, and is longer than the stored offset by now', async () => {
    const app = await make('recreated')
    await app.run(twice)
    const [before] = await endOffsets(kafka.bootstrapServers, app.changelog)
    await deleteTopics(kafka.bootstrapServers, [app.changelog])
    await createTopic(kafka.bootstrapServers, app.changelog, 1, { 'cleanup.policy': 'compact' })
    const records = Array.from({ length: 300 }, (_, index) => ({
      key: `key-${index % 10}`,
      value: int64(index),
    }))
    await produceAll(kafka.bootstrapServers, app.changelog, records)
    assert.ok((await endOffsets(kafka.bootstrapServers, app.changelog))[0]! > before!)
    const counts = Object.fromEntries(keys.map((key, index) => [key, index < 10 ? 290 + index : 0]))
    await assertRestored(app, counts, 'changelog-recreated')
    await assertRestored(app, counts, null)
  })

  test('an offset that the changelog no longer has, because segments were deleted', async () => {
    const app = await make('out-of-range')
    const options: RecoveryOptions = { changelog: { 'cleanup.policy': 'compact,delete' } }
    await app.run(twice, options)
    app.keepState()
    await app.run(keys.slice(0, 5), options)
    app.putStateBack()
    // All but the record that came last, which is of one of the first five keys.
    const [end] = await endOffsets(kafka.bootstrapServers, app.changelog)
    const last = (await readAll(kafka.bootstrapServers, app.changelog)).at(-1)!
    const admin = new Admin({ 'bootstrap.servers': kafka.bootstrapServers })
    await admin.deleteRecords([{ topic: app.changelog, partition: 0, offset: end! - 1 }], 10_000)
    await admin.close()
    const counts = { ...all(0), [last.key!.toString()]: 3 }
    await assertRestored(app, counts, 'offset-out-of-range', options)
    await assertRestored(app, counts, null, options)
  })

  test('state so old that the changelog has forgotten a deletion', async () => {
    const app = await make('too-old')
    const options: RecoveryOptions = {
      changelog: {
        'delete.retention.ms': '1000',
        'segment.ms': '50',
        'min.cleanable.dirty.ratio': '0.001',
        'max.compaction.lag.ms': '1',
      },
    }
    await app.run(twice, options)
    app.keepState()
    await app.run(['key-0 delete'], options)
    // Until the deletion itself is gone. Each record ends a segment; only what is behind it is compacted.
    let last = 2
    const has = async (key: string): Promise<boolean> =>
      (await readAll(kafka.bootstrapServers, app.changelog)).some((record) => record.key!.toString() === key)
    {
      await using application = await app.start(options)
      while (await has('key-0')) {
        assert.ok(++last < 200, 'the changelog is not compacted')
        await app.process(application, ['key-1'])
        await sleep(200)
      }
    }
    const counts = { ...all(2), 'key-0': 0, 'key-1': last }
    app.putStateBack()
    await assertRestored(app, counts, 'state-too-old', options)
    // As old by now as it may not be, but the changelog has nothing beyond it.
    await sleep(600)
    await assertRestored(app, counts, null, options)
  })

  describe('records of somebody else in a changelog', () => {
    /** As a member writes them that was taken for dead: older rows, and one that its successor did not come to. */
    const strange = ['key-0', 'key-1', 'nobody'].map((key) => ({ key, value: int64(1) }))

    /** What the changelog says of its keys. */
    async function said(app: RecoveringApplication): Promise<Record<string, number>> {
      const rows: Record<string, number> = {}
      for (const { key, value } of await readAll(kafka.bootstrapServers, app.changelog)) {
        const name = key!.toString()
        if (value === null) delete rows[name]
        else rows[name] = Number(value.readBigInt64BE(0))
      }
      return rows
    }

    for (const store of ['plain', 'timestamped', 'memory'] as const) {
      test(`after the task was committed: not applied, and overwritten, on the same disk and on another (${store})`, async () => {
        const app = await make(`strange-${store}`)
        await app.run(twice, { store })
        for (const isLost of [false, true]) {
          await produceAll(kafka.bootstrapServers, app.changelog, strange)
          if (isLost) rmSync(app.taskFolder, { recursive: true })
          await assertRestored(app, { ...all(2), nobody: 0 }, null, { store })
          assert.deepEqual(await said(app), all(2))
        }
      })
    }

    test('while the task runs: it begins again, and overwrites them', async () => {
      const app = await make('strange-meanwhile')
      {
        await using application = await app.start()
        await app.process(application, twice)
        await produceAll(kafka.bootstrapServers, app.changelog, strange)
        // Of another key: what follows is not overwritten by the way.
        await app.process(application, ['key-2'])
        const told = app.lines.filter(({ message }) =>
          message.startsWith('another member wrote to changelogs'),
        )
        assert.equal(told.length, 1)
        // The record that was processed with it may have been processed twice.
        const counts = await app.counts(application, ['key-0', 'key-1', 'nobody'])
        assert.deepEqual(counts, { 'key-0': 2, 'key-1': 2, nobody: 0 })
      }
      const rows = await said(app)
      assert.deepEqual([rows['key-0'], rows['key-1'], rows.nobody], [2, 2, undefined])
      rmSync(app.taskFolder, { recursive: true })
      await assertRestored(app, { ...rows, nobody: 0 }, null)
    })
  })

  describe('a database that is damaged', () => {
    const damages: Record<string, (app: RecoveringApplication) => void> = {
      'its manifest is something else': (app) => {
        for (const file of app.files(/^MANIFEST/)) writeFileSync(file, 'this was a manifest once'.repeat(10))
      },
      'its manifest is missing': (app) => {
        for (const file of app.files(/^MANIFEST/)) rmSync(file)
      },
      'the file that names the manifest is missing': (app) => rmSync(app.files(/^CURRENT$/)[0]!),
      'the file that names the manifest is empty': (app) => truncateSync(app.files(/^CURRENT$/)[0]!),
      'a file of rows is missing': (app) => rmSync(app.files(/\.sst$/)[0]!),
      'a file of rows is half written': (app) => truncateSync(app.files(/\.sst$/)[0]!, 200),
      'the file about its stores is half written': (app) => truncateSync(app.files(/^stores\.json$/)[0]!, 20),
    }
    let app: RecoveringApplication
    before(async () => {
      app = await make('damaged')
      await app.run(twice)
    })
    for (const [what, damage] of Object.entries(damages)) {
      test(what, async () => {
        damage(app)
        await assertRestored(app, all(2), 'state-corrupt')
        assert.ok(app.hasDamagedFolder)
      })
    }

    /** The rows of the store, wherever they are; the file's end, by which it is opened, stays. */
    function damageRows(): void {
      for (const file of app.files(/\.sst$/)) {
        const bytes = readFileSync(file)
        const at = bytes.indexOf('key-0')
        if (at >= 0) bytes.fill(0xff, at, at + 40)
        writeFileSync(file, bytes)
      }
    }

    test('a row cannot be read while records are processed: nothing is committed, the next start restores', async () => {
      damageRows()
      const application = await app.start()
      await assert.rejects(app.process(application, keys), { code: 'state-corrupt' })
      await application.close().catch(() => {})
      assert.ok(app.hasDamagedFolder)
      await assertRestored(app, all(3), null)
    })

    test('the same, and the thread is replaced: the new one restores and goes on', async () => {
      rmSync(`${app.taskFolder}.damaged`, { recursive: true })
      damageRows()
      await using application = await app.start({ onUncaughtError: () => 'replace-thread' })
      await app.process(application, keys)
      assert.deepEqual(await app.counts(application, keys), all(4))
      assert.ok(app.hasDamagedFolder)
      const replaced = app.lines.filter(
        ({ message }) => message === 'a stream thread has failed and is replaced',
      )
      assert.deepEqual(
        replaced.map(({ code }) => code),
        ['state-corrupt'],
      )
    })
  })

  describe('a store that was changed', () => {
    let app: RecoveringApplication
    before(async () => {
      app = await make('changed')
      await app.run(twice)
    })
    // Each from the one before: what the last one wrote down is what the next one finds.
    for (const store of ['timestamped', 'plain', 'memory', 'plain'] as const) {
      test(`to ${store}: its changelog has what it needs`, async () => {
        await assertRestored(app, all(2), 'store-type-changed', { store })
      })
    }

    const refused: [string, RecoveryOptions, RecoveryOptions, RegExp][] = [
      ['plain to window', {}, { store: 'window' }, /store counts is of another type: .* a key-value store/],
      ['window to plain', { store: 'window' }, {}, /store counts is of another type: .* a window store/],
      [
        'another serde',
        {},
        { value: 'float64' },
        /values were written by int64 and would be read by float64/,
      ],
      [
        'another type without a changelog',
        { logging: 'false' },
        { logging: 'false', store: 'timestamped' },
        /without logging it has no changelog/,
      ],
    ]
    for (const [index, [what, first, then, message]] of refused.entries()) {
      test(`${what}: refused, and the state stays as it was`, async () => {
        const app = await make(`refused-${index}`)
        await app.run(first.store === 'window' ? [] : twice, first)
        const application = await app.start(then)
        await assert.rejects(application.closed, { code: 'store-changed', message })
        if (first.store !== 'window') await assertRestored(app, all(2), null, first)
      })
    }
  })

  test('stores of which nothing is written down are taken as they are', async () => {
    const app = await make('unknown')
    await app.run(twice)
    rmSync(app.files(/^stores\.json$/)[0]!)
    await assertRestored(app, all(2), null)
    assert.equal(app.files(/^stores\.json$/).length, 1)
  })

  test('a copy of a database that was being written is some past state, and its changelog does the rest', async () => {
    const app = await make('half-written')
    await using application = await app.start()
    await app.process(application, twice)
    app.keepState()
    await app.process(application, keys)
    await application.close()
    app.putStateBack()
    await assertRestored(app, all(3), null)
  })

  test('a disk that is full before a restore is done: the process stops; with room the restore goes on', {
    skip: process.getuid?.() === 0 ? false : 'needs root for a small file system',
  }, async () => {
    const stateDir = makeScratchDir('recovery-full')
    const mount = (options: string): unknown =>
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', stateDir])
    mount('size=8m')
    try {
      const app = await RecoveringApplication.make(kafka.bootstrapServers, stateDir, 'full')
      await createTopic(kafka.bootstrapServers, app.changelog, 1, { 'cleanup.policy': 'compact' })
      // 20 MB that cannot be compressed much.
      const long = Array.from({ length: 1_000 }, () => randomBytes(15_000).toString('base64'))
      await produceAll(
        kafka.bootstrapServers,
        app.changelog,
        long.map((key, index) => ({ key, value: int64(index + 1) })),
      )
      const application = await app.start()
      await assert.rejects(application.closed, { code: 'disk-full' })
      mount('remount,size=200m')
      await assertRestored(app, { [long[0]!]: 1, [long[999]!]: 1_000 }, null)
    } finally {
      execFileSync('umount', [stateDir])
    }
  })

  test('a restore listener is told of every store, in order', async () => {
    const app = await make('listener')
    await app.run(twice)
    rmSync(app.taskFolder, { recursive: true })
    const [end] = await endOffsets(kafka.bootstrapServers, app.changelog)
    const calls: unknown[][] = []
    const record =
      (name: string) =>
      (...values: unknown[]): void => {
        calls.push([name, ...values])
      }
    await using application = await app.start({
      restoreListener: {
        onRestoreStart: record('start'),
        onBatchRestored: record('batch'),
        onRestoreEnd: record('end'),
        onRestoreSuspended: record('suspended'),
      },
    })
    assert.deepEqual(await app.counts(application, keys), all(2))
    const changelog = { topic: app.changelog, partition: 0 }
    const batches = calls.filter(([name]) => name === 'batch')
    assert.deepEqual(calls[0], ['start', changelog, 'counts', 0, end])
    assert.deepEqual(batches.at(-1)?.slice(0, 4), ['batch', changelog, 'counts', end])
    assert.equal(
      batches.reduce((sum, [, , , , records]) => sum + (records as number), 0),
      end,
    )
    assert.deepEqual(calls.at(-1), ['end', changelog, 'counts', end])
    assert.equal(calls.length, 2 + batches.length)
  })
})
