/**
 * What an operator or a record can get wrong: each is named in one clear line, and nothing wrong is
 * committed.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  lagOf,
  type OutgoingRecord,
  produceAll,
  readToEnd,
} from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { freePorts } from '../services/ports.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { type ExitResult, runWeir, WeirProcess } from '../support/weir-process.ts'

const isRoot = process.getuid?.() === 0
const module = 'test/support/topologies/bad.ts'

/** The lines of standard error that are not log lines. */
function errorLines({ stderr }: ExitResult): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('weir: '))
}

function assertOneLine(result: ExitResult, code: number, ...patterns: RegExp[]): void {
  const lines = errorLines(result)
  assert.equal(result.code, code, result.stdout + result.stderr)
  assert.equal(lines.length, 1, result.stderr)
  for (const pattern of patterns) assert.match(lines[0]!, pattern)
}

function* largeRecords(from: number, count: number): Iterable<OutgoingRecord> {
  for (let index = from; index < from + count; index++) {
    const value = randomBytes(3_750).toString('base64')
    yield { topic: 'large', key: `key-${index}`, value, timestamp: 1_000 + index }
  }
}

describe('what is wrong before anything is connected: exit code 2', { concurrency: 2 }, () => {
  // A port that nobody listens at: a connection would be noticed by its error.
  const settings = { WEIR_APPLICATION_ID: 'bad', WEIR_BOOTSTRAP_SERVERS: '127.0.0.1:1', WEIR_HTTP_PORT: '-1' }
  const scratch = makeScratchDir('bad-modules')

  function moduleWith(name: string, text: string): string {
    const path = join(scratch, name)
    writeFileSync(path, text)
    return path
  }

  test('an unknown variable', async () => {
    const result = await runWeir(['run', module], { ...settings, WEIR_COMIT_INTERVAL_MS: '100' })
    assertOneLine(result, 2, /WEIR_COMIT_INTERVAL_MS/, /WEIR_COMMIT_INTERVAL_MS/)
  })

  test('a wrong value', async () => {
    const result = await runWeir(['run', module], { ...settings, WEIR_NUM_STREAM_THREADS: 'many' })
    assertOneLine(result, 2, /WEIR_NUM_STREAM_THREADS=many/)
  })

  test('a missing variable', async () => {
    const result = await runWeir(['run', module], { WEIR_APPLICATION_ID: 'bad' })
    assertOneLine(result, 2, /WEIR_BOOTSTRAP_SERVERS/)
  })

  test('a module that is not there', async () => {
    assertOneLine(await runWeir(['run', 'nowhere.ts'], settings), 2, /nowhere\.ts/)
  })

  test('a module that does not load', async () => {
    const path = moduleWith('throws.ts', "throw new Error('this module throws')\n")
    assertOneLine(await runWeir(['run', path], settings), 2, /throws\.ts/, /this module throws/)
  })

  test('a module with a syntax error', async () => {
    const path = moduleWith('broken.ts', 'export default defineTopology((\n')
    assertOneLine(await runWeir(['run', path], settings), 2, /broken\.ts/)
  })

  test('a module that exports no topology', async () => {
    const path = moduleWith('no-topology.ts', "export default { not: 'a topology' }\n")
    assertOneLine(await runWeir(['run', path], settings), 2, /no-topology\.ts/, /topology/)
  })

  test('a store that is named twice', async () => {
    const result = await runWeir(['run', module], { ...settings, BAD: 'store-twice' })
    assertOneLine(result, 2, /bad\.ts/, /same/)
  })
})

describe('what the cluster or a record shows: exit code 1', { concurrency: 3 }, () => {
  let kafka: KafkaService
  let application = 0
  const scratch = makeScratchDir('bad')
  before(async () => {
    kafka = await startKafka()
    await createTopics(kafka.bootstrapServers, {
      input: 2,
      other: 3,
      output: 2,
      poison: 1,
      'poison-output': 1,
      torn: 1,
      'torn-output': 1,
      large: 1,
    })
  })
  after(() => kafka.stop())

  function folder(name: string): string {
    const path = join(scratch, name)
    mkdirSync(path)
    return path
  }

  /** Each test is an application of its own, in the same folder unless it says otherwise. */
  function settingsFor(stateDir = scratch): Record<string, string> {
    return {
      WEIR_APPLICATION_ID: `bad-${++application}`,
      WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      WEIR_STATE_DIR: stateDir,
      WEIR_HTTP_PORT: '-1',
      WEIR_NUM_STREAM_THREADS: '1',
      WEIR_COMMIT_INTERVAL_MS: '60000',
    }
  }

  test('a source topic that does not exist', async () => {
    const result = await runWeir(['run', module], { ...settingsFor(), BAD: 'missing-source' })
    assertOneLine(result, 1, /nowhere/, /does not exist/)
  })

  test('a sink topic that does not exist', async () => {
    const result = await runWeir(['run', module], { ...settingsFor(), BAD: 'missing-sink' })
    assertOneLine(result, 1, /nowhere/, /does not exist/)
  })

  test('topics that need the same partition count and have not', async () => {
    const result = await runWeir(['run', module], { ...settingsFor(), BAD: 'copartition' })
    assertOneLine(result, 1, /input has 2/, /other has 3/)
  })

  test('a changelog with the wrong partition count', async () => {
    const settings = settingsFor()
    const changelog = `${settings.WEIR_APPLICATION_ID}-counts-changelog`
    await createTopics(kafka.bootstrapServers, { [changelog]: 5 })
    assertOneLine(await runWeir(['run', module], settings), 1, new RegExp(changelog), /5 partitions/, /2/)
  })

  test('a broker that is not there is named, and waited for', async () => {
    const [port, httpPort] = (await freePorts(2)) as [number, number]
    await using worker = await WeirProcess.start({
      module,
      applicationId: 'bad-unreachable',
      bootstrapServers: `127.0.0.1:${port}`,
      stateDir: scratch,
      env: { WEIR_HTTP_PORT: String(httpPort) },
    })
    await worker.until(
      () => worker.output.includes(`no broker of 127.0.0.1:${port} answers`),
      'does not say that no broker answers',
      30_000,
    )
    assert.equal(worker.hasEnded, false)
    process.kill(worker.pid, 'SIGTERM')
    const { signal } = await worker.exited
    assert.equal(signal, null, 'it has to end by itself')
  })

  test('a state folder that cannot be written to', {
    skip: isRoot ? false : 'needs root for a read-only mount',
  }, async () => {
    const stateDir = folder('read-only')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', stateDir])
    try {
      const result = await runWeir(['run', module], settingsFor(stateDir))
      assertOneLine(result, 1, new RegExp(stateDir), /cannot be written/)
    } finally {
      execFileSync('umount', [stateDir])
    }
  })

  test('a state folder without permission', {
    skip: isRoot ? 'root may write anywhere' : false,
  }, async () => {
    const stateDir = folder('permission')
    chmodSync(stateDir, 0o500)
    assertOneLine(await runWeir(['run', module], settingsFor(stateDir)), 1, /cannot be written/)
  })

  test('a full disk: nothing is committed', {
    skip: isRoot ? false : 'needs root for a small file system',
  }, async () => {
    const stateDir = folder('full')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', stateDir])
    try {
      const settings = settingsFor(stateDir)
      await using worker = await WeirProcess.start({
        module,
        applicationId: settings.WEIR_APPLICATION_ID!,
        bootstrapServers: kafka.bootstrapServers,
        stateDir,
        env: { BAD: 'fills-disk', WEIR_FLUSH_EVERY_RECORDS: '1000', WEIR_COMMIT_INTERVAL_MS: '500' },
      })
      // 5 kB each that cannot be compressed, until the disk is full; RocksDB notices when it flushes, and refuses the next write.
      let written = 0
      while (!worker.hasEnded) {
        assert.ok(written < 40_000, `the disk holds everything:\n${worker.output}`)
        await produceAll(kafka.bootstrapServers, largeRecords(written, 2_000))
        written += 2_000
        await Promise.race([worker.exited, new Promise((resolve) => setTimeout(resolve, 1_000))])
      }
      assertOneLine(await worker.exited, 1, /No space left on device/)
      const { committed, remaining } = await lagOf(kafka.bootstrapServers, settings.WEIR_APPLICATION_ID!, [
        'large',
      ])
      assert.ok(remaining > 0, 'what did not fit was committed')
      // What was committed is in the changelog, whether or not it ever was on this disk.
      const changelog = await readToEnd(
        kafka.bootstrapServers,
        `${settings.WEIR_APPLICATION_ID}-latest-changelog`,
      )
      assert.ok(changelog.length >= committed, `${changelog.length} of ${committed} changes`)
    } finally {
      execFileSync('umount', [stateDir])
    }
  })

  // Offsets 0 to 4 are good, 5 is not, 6 to 9 are.
  for (const [what, topic, value, cause] of [
    ['a record that a processor throws at', 'poison', 'poison', /cannot stand poison/],
    ['a record that cannot be deserialised', 'torn', '{"torn', /JSON/i],
  ] as const) {
    test(what, async () => {
      const settings = settingsFor()
      const values = ['"a"', '"b"', '"c"', '"d"', '"e"', value, '"f"', '"g"', '"h"', '"i"']
      await produceAll(
        kafka.bootstrapServers,
        values.map((text) => ({ topic, key: 'k', value: text, timestamp: 1 })),
      )
      const result = await runWeir(['run', module], { ...settings, BAD: topic })
      const offset = 5
      assertOneLine(result, 1, new RegExp(`${topic} partition 0 offset ${offset}\\b`), cause)
      // Everything before it was processed and committed, nothing after it.
      assert.equal(
        (await lagOf(kafka.bootstrapServers, settings.WEIR_APPLICATION_ID!, [topic])).committed,
        offset,
      )
      assert.equal((await readToEnd(kafka.bootstrapServers, `${topic}-output`)).length, offset)
    })
  }
})
