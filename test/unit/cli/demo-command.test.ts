import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { parseMetrics } from '../observe/parse-metrics.ts'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** A demo with a folder for temporary files of its own. */
class Demo implements AsyncDisposable {
  readonly temporary = mkdtempSync(join(tmpdir(), 'weir-demo-test-'))
  readonly child: ChildProcess
  readonly ended: Promise<unknown[]>
  output = ''

  constructor(args: readonly string[]) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WEIR_'))
    this.child = spawn(process.execPath, [main, 'demo', '--plain', ...args], {
      env: { ...Object.fromEntries(inherited), TMPDIR: this.temporary, WEIR_MEMORY_BYTES: '512MiB' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.ended = once(this.child, 'exit')
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
  }

  /** Whatever a test ends with, the demo does not outlive it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.ended
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output)
      if (match !== null) return match
      assert.equal(this.child.exitCode, null, this.output)
      await once(this.child.stdout!, 'data')
    }
  }
}

describe('weir demo', { timeout: 120_000 }, () => {
  test('--records ends by itself with a summary of all of them, and leaves nothing behind', async () => {
    await using demo = new Demo(['--records', '20000', '--threads', '2'])
    assert.deepEqual(await demo.ended, [0, null], demo.output)
    assert.match(demo.output, /at-least-once, started empty/)
    assert.match(demo.output, /^Processed 20,000 events in .* on 2 stream threads\.$/m)
    const [, changes = '0'] = /^([\d,]+) segment changes; state/m.exec(demo.output) ?? []
    assert.ok(Number(changes.replaceAll(',', '')) > 100, demo.output)
    assert.deepEqual(readdirSync(demo.temporary), [])
  })

  test('SIGINT ends it with a summary; until then its metrics tell what it does', async () => {
    await using demo = new Demo(['--rate', '2000', '--threads', '1'])
    const [, url = ''] = await demo.until(/^Metrics at (\S+)$/m)
    await demo.until(/ [1-9][\d,]* segment changes$/m)
    while ((await fetch(new URL('/readyz', url))).status !== 200) await sleep(50)
    const metrics = parseMetrics(await (await fetch(url)).text())
    assert.ok((metrics.get('weir_consume_records_total{thread="0",topic="events"}') ?? 0) > 0)
    assert.ok((metrics.get('weir_produce_records_total{thread="0",topic="segment-changes"}') ?? 0) > 0)
    assert.ok((metrics.get('weir_process_batch_seconds_count{thread="0"}') ?? 0) > 0)
    assert.equal(metrics.get('weir_process_tasks{state="running",thread="0"}'), 4)
    assert.equal(metrics.get('weir_rocksdb_databases'), 4)
    assert.equal(metrics.get('weir_application_state{state="running"}'), 1)
    for (const probe of ['/healthz', '/readyz']) assert.equal((await fetch(new URL(probe, url))).status, 200)
    demo.child.kill('SIGINT')
    assert.deepEqual(await demo.ended, [0, null], demo.output)
    assert.match(demo.output, /^Processed [\d,]+ events/m)
    assert.deepEqual(readdirSync(demo.temporary), [])
  })
})
