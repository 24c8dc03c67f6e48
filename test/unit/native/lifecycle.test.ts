/** Workers that end in every way. Each case runs in a process of its own, so that a crash is a failed test. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))

interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/** Only a process that hangs reaches the limit. */
const HANGS_MS = 240_000

/**
 * AddressSanitizer keeps 256 MiB of what was freed, and every stack that it sees: where memory is measured it is told to keep little of both. What
 * is left is its allocator's, which takes up to 65 MiB more of the system for its size classes before it has enough.
 */
const isSanitized = process.env.ASAN_OPTIONS !== undefined
const SMALL_SANITIZER = {
  ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=16:malloc_context_size=5`,
}
const GROWTH_MAX_MIB = isSanitized ? 128 : 64

async function run(
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-lifecycle-'))
  try {
    const child = spawn(process.execPath, [path.join(here, 'lifecycle', script), folder, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // glibc gives new threads arenas of their own, and keeps what they leave there: up to 70 MiB that are no leak.
      env: { ...process.env, MALLOC_ARENA_MAX: '2', ...env },
    })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    const limit = setTimeout(() => child.kill('SIGKILL'), HANGS_MS)
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    clearTimeout(limit)
    return { code, signal, output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runWorkers(
  ending: string,
  count: number,
  parallel: number,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const args = [ending, String(count), String(parallel)]
  const { code, signal, output } = await run('process.ts', args, env)
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, output)
  return (JSON.parse(output.trim().split('\n').at(-1)!) as { grownMiB: number }).grownMiB
}

test('100 workers start, use everything, close and end; the process does not grow', async (t) => {
  const grownMiB = await runWorkers('clean', 100, 4, SMALL_SANITIZER)
  t.diagnostic(`grown by ${grownMiB} MiB over the last 75 workers`)
  assert.ok(grownMiB < GROWTH_MAX_MIB, `grown by ${grownMiB} MiB`)
})

test('workers that leave everything open', async () => {
  await runWorkers('leave', 20, 4)
})

test('workers that call process.exit in the middle of calls', async () => {
  await runWorkers('exit', 20, 4)
})

test('workers that throw in the middle of calls', async () => {
  await runWorkers('throw', 20, 4)
})

test('100 workers that are terminated at any moment, two at a time', async () => {
  await runWorkers('busy', 100, 2)
})

test('process.exit on the main thread while a worker is in the middle of calls', async () => {
  for (let index = 0; index < 5; index++) {
    const { code, signal, output } = await run('abrupt-exit.ts')
    assert.deepEqual({ code, signal }, { code: 3, signal: null }, output)
  }
})
