import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const addon = fileURLToPath(new URL('../../../src/native/addon.ts', import.meta.url))

/** A worker thread that does not come back from a system call, and a main thread that has had enough of it. */
const program = `
import { Worker } from 'node:worker_threads'
await import(${JSON.stringify(addon)})
const stuck = "require('node:worker_threads').parentPort.postMessage(0); require('node:child_process').spawnSync('cat', { stdio: 'inherit' })"
new Worker(stuck, { eval: true, execArgv: [] }).once('message', () => setTimeout(() => process.exit(7), 200))
`

test('a process that has called process.exit ends, whatever its threads hang in', async () => {
  // cat reads from a pipe that nobody writes to, and ends with this test.
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  child.stdin.destroy()
  assert.equal(code, 7)
})
