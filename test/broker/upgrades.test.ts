/**
 * Other versions of Weir, and other topologies, in one application on a real broker. A later version is this one with the numbers of its formats raised
 * (test/support/future-build.ts). docs/operating.md#upgrades has the table.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { newerOffsetFormat } from '../../src/commit/offset-metadata.ts'
import { Admin } from '../../src/native.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { type Format, futureBuild } from '../support/future-build.ts'
import { type ExitResult, WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 4
const VALUES = 40
const TIMEOUT_MS = 30_000

// Each has an application of its own, and waits for most of its time.
describe('upgrades', { timeout: 300_000, concurrency: 2 }, () => {
  let kafka: KafkaService
  let admin: Admin
  before(async () => {
    kafka = await startKafka()
    admin = new Admin({ 'bootstrap.servers': kafka.bootstrapServers })
  })
  after(async () => {
    await admin?.close()
    await kafka?.stop()
  })

  /** Topics and processes of one application that counts values; `sources` says of which version a process is. */
  class Upgraded {
    readonly id: string
    readonly scratch = makeScratchDir('upgrades')
    #produced = 0

    private constructor(id: string) {
      this.id = id
    }

    static async make(id: string): Promise<Upgraded> {
      const topics = Object.fromEntries(
        ['input', 'counts', 'other', 'others'].map((name) => [`${id}.${name}`, PARTITIONS]),
      )
      await createTopics(kafka.bootstrapServers, topics)
      return new Upgraded(id)
    }

    start(name: string, sources?: string, env: Readonly<Record<string, string>> = {}): Promise<WeirProcess> {
      return WeirProcess.start({
        module: 'test/support/topologies/changing.ts',
        sources,
        applicationId: this.id,
        bootstrapServers: kafka.bootstrapServers,
        stateDir: path.join(this.scratch, name),
        env: {
          CHANGING_PREFIX: `${this.id}.`,
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '100',
          WEIR_SESSION_TIMEOUT_MS: '6000',
          WEIR_MEMORY_BYTES: '512MiB',
          ...env,
        },
      })
    }

    /** Of a process of this application by its name. */
    folder(name: string): string {
      return path.join(this.scratch, name, this.id)
    }

    /** So many records of each value, and waits until these processes have counted them. */
    async process(workers: readonly WeirProcess[], each = 1): Promise<void> {
      const { bootstrapServers } = kafka
      const records = Array.from({ length: VALUES * each }, (_, index) => ({
        topic: `${this.id}.input`,
        partition: index % PARTITIONS,
        key: null,
        value: `value-${index % VALUES}`,
        timestamp: 1_000,
      }))
      await produceAll(bootstrapServers, records)
      this.#produced += each
      const topics = [`${this.id}.input`, `${this.id}-by-value-repartition`]
      const consumed = waitUntilConsumed(bootstrapServers, this.id, topics, { timeoutMs: 60_000 })
      await Promise.race([consumed, ...workers.map((worker) => worker.whileRunning(consumed))])
    }

    /** Each value's counts go from 1 to what was produced, by one: nothing was lost, and nothing counted twice by a clean hand-over. */
    async verify(): Promise<void> {
      const counts = new Map<string, number[]>()
      for (const { key, value } of await readToEnd(kafka.bootstrapServers, `${this.id}.counts`)) {
        const ofKey = counts.get(key!.toString()) ?? []
        counts.set(key!.toString(), [...ofKey, Number(value!.readBigInt64BE(0))])
      }
      assert.equal(counts.size, VALUES)
      const expected = Array.from({ length: this.#produced }, (_, index) => index + 1)
      for (const [key, ofKey] of counts) assert.deepEqual(ofKey, expected, key)
    }

    /** What goes with the committed offsets. */
    async metadata(): Promise<string[]> {
      const offsets = await admin.groupOffsets(this.id, TIMEOUT_MS)
      return offsets.flatMap(({ metadata }) => (metadata === undefined ? [] : [metadata]))
    }
  }

  const linesOf = (output: string, message: string): Record<string, unknown>[] =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.includes(message))
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  /** Waits for a process that is to refuse. Its line on standard error. */
  async function refusalOf(worker: WeirProcess): Promise<{ line: string } & Pick<ExitResult, 'code'>> {
    await worker.until(() => worker.hasEnded, 'is not refused')
    const { code, stderr } = await worker.exited
    return { code, line: stderr.trim().split('\n').at(-1) ?? '' }
  }

  test('a rolling deploy to a later version, and back: members that read the formats share the group', async () => {
    // What it raises concerns its own folders, and what others can do without.
    const later = futureBuild(['ends', 'folder', 'layouts'])
    const app = await Upgraded.make('rolling')
    await using one = await app.start('one')
    await using two = await app.start('two')
    await Promise.all([one.ready(), two.ready()])
    await app.process([one, two])
    await two.stop()
    await using newTwo = await app.start('two', later)
    await newTwo.ready()
    await app.process([one, newTwo])
    await one.stop()
    await using newOne = await app.start('one', later)
    await newOne.ready()
    await app.process([newOne, newTwo])
    // Back again.
    await newTwo.stop()
    await using oldTwo = await app.start('two')
    await oldTwo.ready()
    await app.process([newOne, oldTwo])
    for (const worker of [newOne, oldTwo]) await worker.stop()
    await app.verify()
  })

  test('offsets that a later version has committed in a format of its own: refused in one line, and nothing is lost', async () => {
    const later = futureBuild(['offsets'])
    const app = await Upgraded.make('offsets')
    await using old = await app.start('old')
    await old.ready()
    await app.process([old])
    await using next = await app.start('next', later)
    await next.ready()
    await app.process([old, next])
    assert.ok((await app.metadata()).some((text) => newerOffsetFormat(text) === 3))
    // Its partitions come to the old one.
    await next.stop()
    const { code, line } = await refusalOf(old)
    assert.equal(code, 1)
    assert.match(
      line,
      /^weir: the offset of \S+ partition \d was committed by a newer version of Weir \(metadata format 3\); run that version, or reset the application$/,
    )
    await using again = await app.start('next', later)
    await again.ready()
    await app.process([again])
    await again.stop()
    await app.verify()
  })

  test('a state folder that a later version has written: set aside, and restored', async () => {
    const raised: Format[] = ['folder', 'layouts']
    const app = await Upgraded.make('folder')
    const later = futureBuild(raised)
    await using first = await app.start('one', later)
    await first.ready()
    await app.process([first], 2)
    await first.stop()
    const identity = JSON.parse(readFileSync(path.join(app.folder('one'), 'weir.json'), 'utf8')) as Identity
    assert.equal(identity.format, 2)
    await using old = await app.start('one')
    await old.ready()
    await app.process([old])
    const aside = path.join(app.folder('one'), 'format-2')
    const told = linesOf(old.output, 'the state folder was written by a newer version of Weir')
    assert.deepEqual(
      told.map(({ level, folder }) => [level, folder]),
      [['warn', aside]],
    )
    assert.ok(readdirSync(aside).some((name) => /^\d+_\d+$/.test(name)))
    // It is the same process as before.
    const now = JSON.parse(readFileSync(path.join(app.folder('one'), 'weir.json'), 'utf8')) as Identity
    assert.deepEqual(now, { ...identity, format: 1 })
    const restored = [...(await old.metrics())].filter(([name]) =>
      name.startsWith('weir_restore_records_total'),
    )
    assert.ok(restored.reduce((sum, [, value]) => sum + value, 0) >= VALUES)
    await old.stop()
    await app.verify()
  })

  test("a task's folder that a later version has written: restored, and kept as damaged", async () => {
    const app = await Upgraded.make('layouts')
    await using first = await app.start('one', futureBuild(['layouts']))
    await first.ready()
    await app.process([first])
    await first.stop()
    await using old = await app.start('one')
    await old.ready()
    await app.process([old])
    const told = linesOf(old.output, 'local state is not used')
    assert.ok(told.length > 0)
    for (const { code, reason } of told) {
      assert.equal(code, 'state-corrupt')
      assert.match(String(reason), /stores\.json cannot be read as a format up to 1/)
    }
    await old.stop()
    await app.verify()
  })

  describe('a topology whose internal topics have changed', { concurrency: 1 }, () => {
    const changes: readonly [string, string, RegExp][] = [
      [
        'a repartition topic and its sub-topology are gone',
        'by-key',
        /repartition topic \S+-by-value-repartition is gone/,
      ],
      ['a changelog is new', 'both', /: changelog \S+-counts-by-key-changelog is new; name/],
      [
        'a sub-topology has another number',
        'shifted',
        /changelog \S+-counts-changelog has moved from sub-topology 1 to 2; repartition topic \S+-by-value-repartition has moved from sub-topology 1 to 2;/,
      ],
    ]
    let app: Upgraded
    before(async () => {
      app = await Upgraded.make('changed')
      await using worker = await app.start('one')
      await worker.ready()
      await app.process([worker])
      await worker.stop()
    })
    for (const [what, shape, difference] of changes) {
      test(`${what}: refused with what to do, and nothing is touched`, async () => {
        const topics = (await admin.listTopics(TIMEOUT_MS)).length
        await using worker = await app.start('one', undefined, { CHANGING_SHAPE: shape })
        const { code, line } = await refusalOf(worker)
        assert.equal(code, 1)
        assert.match(line, /^weir: the topology is not the one that the state folder \S+ was written for: /)
        assert.match(line, difference)
        assert.match(line, /reset the application .* WEIR_TOPOLOGY_CHANGES=accept/)
        assert.equal((await admin.listTopics(TIMEOUT_MS)).length, topics)
      })
    }

    test('the topology as it was goes on', async () => {
      await using worker = await app.start('one')
      await worker.ready()
      await app.process([worker])
      await worker.stop()
      await app.verify()
    })

    test('accepted: what has moved is restored, and the next start finds it as it is', async () => {
      const shifted = { CHANGING_SHAPE: 'shifted' }
      await using worker = await app.start('one', undefined, { ...shifted, WEIR_TOPOLOGY_CHANGES: 'accept' })
      await worker.ready()
      await app.process([worker])
      await worker.stop()
      assert.equal(linesOf(worker.output, 'the topology has changed, which is accepted').length, 1)
      await using next = await app.start('one', undefined, shifted)
      await next.ready()
      await app.process([next])
      await next.stop()
      await app.verify()
    })

    test('a record of it that cannot be read is none', async () => {
      const file = path.join(app.folder('one'), 'topology.json')
      writeFileSync(file, '{"format":')
      await using worker = await app.start('one', undefined, { CHANGING_SHAPE: 'shifted' })
      await worker.ready()
      await worker.stop()
      assert.ok(existsSync(file))
      assert.equal((JSON.parse(readFileSync(file, 'utf8')) as Identity).format, 1)
    })
  })
})

interface Identity {
  readonly format: number
}
