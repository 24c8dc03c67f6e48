import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repoDir } from '../../../bench/harness/paths.ts'
import { ProcessSampler, readProcessUsage } from '../../../bench/harness/process-sampler.ts'

test("usage is what the process itself knows of it, all threads' together", () => {
  // Something to be seen.
  for (let i = 0; i < 200; i++) Buffer.alloc(1 << 20, i)
  const own = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
  const before = own()
  const usage = readProcessUsage(process.pid)
  const after = own()
  assert.ok(usage)
  // /proc counts in ticks of 10 ms, user and system each rounded down.
  assert.ok(
    usage.cpuSeconds >= before - 0.03 && usage.cpuSeconds <= after + 0.03,
    `${before} ${usage.cpuSeconds} ${after}`,
  )
  assert.ok(usage.peakRssBytes >= process.memoryUsage.rss())
})

test('a process that has ended has no usage, and a sampler keeps the last it saw', async () => {
  const child = spawn('sleep', ['600'])
  await once(child, 'spawn')
  using sampler = new ProcessSampler(child.pid ?? 0)
  const last = sampler.sample()
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(readProcessUsage(child.pid ?? 0), null)
  assert.deepEqual(sampler.sample(), last)
  assert.throws(() => new ProcessSampler(child.pid ?? 0), /has ended/)
})

test('written bytes are counted', () => {
  // Not the temporary folder, which may lie in memory.
  const buildDir = join(repoDir, 'build')
  mkdirSync(buildDir, { recursive: true })
  const dir = mkdtempSync(join(buildDir, 'process-sampler-test-'))
  const before = readProcessUsage(process.pid)?.diskBytesWritten ?? 0
  writeFileSync(join(dir, 'file'), Buffer.alloc(4 << 20, 1))
  const written = (readProcessUsage(process.pid)?.diskBytesWritten ?? 0) - before
  rmSync(dir, { recursive: true })
  assert.ok(written >= 4 << 20, `${written}`)
})
