import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeScratchDir } from '../../services/scratch-dir.ts'
import { ServerProcess } from '../../services/server-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'server-process-test-'))
after(() => rmSync(dir, { recursive: true }))

function server(logName: string, script: string, isReady: (log: string) => boolean, startTimeoutMs = 20_000) {
  const logFile = join(dir, logName)
  return new ServerProcess({
    name: 'demo',
    command: 'sh',
    args: ['-c', script],
    logFile,
    isReady,
    startTimeoutMs,
  })
}

test('a server that ends before it serves is an error that shows its log', async () => {
  const failing = server('ends.log', 'echo no such setting; exit 3', () => false)
  await assert.rejects(failing.start(), /demo ended with exit code 3; its log ends:\nno such setting/)
  assert.equal(failing.isRunning, false)
})

test('a server that does not come up in time is killed', async () => {
  const slow = server('slow.log', 'echo warming up; exec sleep 600', () => false, 300)
  await assert.rejects(slow.start(), /did not serve within 300 ms; its log ends:\nwarming up/)
  assert.equal(slow.isRunning, false)
})

test('readiness looks at the log of this start only', async () => {
  const twice = server('twice.log', 'echo up $$; exec sleep 600', (log) => log.split('up').length === 2)
  await twice.start()
  const firstPid = twice.pid
  await twice.kill('SIGTERM')
  await twice.start()
  assert.notEqual(twice.pid, firstPid)
  await twice.kill('SIGKILL')
  assert.throws(() => twice.pid, /demo is not running/)
})

test('a server that ignores SIGTERM is killed after the timeout', async () => {
  const stubborn = server('stubborn.log', 'trap "" TERM; echo up; while :; do sleep 1; done', (log) =>
    log.includes('up'),
  )
  await stubborn.start()
  await stubborn.kill('SIGTERM', 100)
  assert.equal(stubborn.isRunning, false)
})

for (const end of ['SIGKILL', 'process.exit']) {
  test(`the server ends with its parent: ${end}`, async () => {
    const script = `
      import { makeScratchDir } from ${JSON.stringify(moduleUrl('scratch-dir.ts'))}
      import { ServerProcess } from ${JSON.stringify(moduleUrl('server-process.ts'))}
      const dir = makeScratchDir('child')
      const server = new ServerProcess({
        name: 'demo', command: 'sh', args: ['-c', 'echo up; exec sleep 600'], logFile: dir + '/log',
        isReady: (log) => log.includes('up'), startTimeoutMs: 20000,
      })
      await server.start()
      console.log(JSON.stringify({ pid: server.pid, dir }))
      process.stdin.once('data', () => process.exit(0))`
    const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [line] = await once(parent.stdout, 'data')
    const child = JSON.parse(String(line)) as { pid: number; dir: string }
    assert.ok(existsSync(`/proc/${child.pid}`))
    if (end === 'SIGKILL') parent.kill('SIGKILL')
    else parent.stdin.write('end\n')
    await once(parent, 'exit')
    const deadline = Date.now() + 10_000
    while (existsSync(`/proc/${child.pid}`) && Date.now() < deadline)
      await new Promise((next) => setTimeout(next, 10))
    assert.equal(existsSync(`/proc/${child.pid}`), false)
    // The folder of a killed process goes when the next one asks for its own.
    makeScratchDir('next')
    assert.equal(existsSync(child.dir), false)
  })
}

function moduleUrl(name: string): string {
  return fileURLToPath(new URL(`../../services/${name}`, import.meta.url))
}
