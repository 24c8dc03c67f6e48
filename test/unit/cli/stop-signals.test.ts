import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const program = `
  import { onStopSignals } from ${JSON.stringify(new URL('../../../src/cli/stop-signals.ts', import.meta.url).href)}
  setInterval(() => {}, 1000)
  onStopSignals((signal) => {
    console.log('stopping ' + signal)
  })
  console.log('ready')
`

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}: the first is told, the second ends the process at once`, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = child.stdout.setEncoding('utf8')
    let seen = ''
    const until = async (text: string): Promise<void> => {
      while (!seen.includes(text)) seen += String((await once(lines, 'data'))[0])
    }
    await until('ready')
    child.kill(signal)
    await until(`stopping ${signal}`)
    // The same signal, sent by a terminal and by npm.
    child.kill(signal)
    await sleep(1_000)
    assert.equal(child.exitCode, null)
    child.kill(signal)
    assert.deepEqual(await once(child, 'exit'), [signal === 'SIGINT' ? 130 : 143, null])
  })
}
