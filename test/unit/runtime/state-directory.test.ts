import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { StateDirectory } from '../../../src/runtime/state-directory.ts'

const source = new URL('../../../src/runtime/state-directory.ts', import.meta.url).href

/** A process that opens the folder and says how it went: `opened`, or the error's code and message. It holds the folder until it ends. */
function openInChild(stateDir: string, before = ''): ChildProcess {
  const script = `
    const { StateDirectory } = await import(${JSON.stringify(source)})
    ${before}
    try {
      await StateDirectory.open(${JSON.stringify(stateDir)}, 'app')
      console.log('opened')
      setInterval(() => {}, 1000)
    } catch (error) {
      console.log(error.code + ' ' + error.message)
    }`
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer]
  return chunk.toString().trim()
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

describe('StateDirectory', () => {
  let base: string
  before(async () => {
    base = await mkdtemp(path.join(tmpdir(), 'weir-state-'))
  })
  after(() => rm(base, { recursive: true, force: true }))

  test('keeps its process id, and can be opened again once it is closed', async () => {
    const dir = path.join(base, 'again')
    const first = await StateDirectory.open(dir, 'app')
    assert.equal(first.path, path.join(dir, 'app'))
    await assert.rejects(StateDirectory.open(dir, 'app'), { code: 'state-dir-locked' })
    await mkdir(path.join(first.path, '0_0'))
    await first.close()
    const second = await StateDirectory.open(dir, 'app')
    assert.equal(second.processId, first.processId)
    await second.close()
    assert.deepEqual((await readdir(second.path)).sort(), ['0_0', 'weir.json'])
  })

  test('a second process is told whose it is; a killed one holds nothing', async () => {
    const dir = path.join(base, 'locked')
    const holder = openInChild(dir)
    assert.equal(await firstLine(holder), 'opened')
    await assert.rejects(StateDirectory.open(dir, 'app'), {
      code: 'state-dir-locked',
      message: new RegExp(`^process ${holder.pid} on \\S+ uses this state folder`),
    })
    await end(holder, 'SIGKILL')
    const next = await StateDirectory.open(dir, 'app')
    await next.close()
  })

  test("of processes that find a dead one's lock at the same time, one gets it", async () => {
    const dir = path.join(base, 'race')
    const dead = openInChild(dir)
    await firstLine(dead)
    await end(dead, 'SIGKILL')
    const children = Array.from({ length: 6 }, () => openInChild(dir))
    const lines = await Promise.all(children.map(firstLine))
    await Promise.all(
      children.filter((_, index) => lines[index] === 'opened').map((child) => end(child, 'SIGKILL')),
    )
    assert.deepEqual(lines.map((line) => line.split(' ')[0]).sort(), [
      'opened',
      ...Array(5).fill('state-dir-locked'),
    ])
  })

  test('a number that another process has by now does not hold the lock', async () => {
    const dir = path.join(base, 'reused')
    const holder = openInChild(dir)
    await firstLine(holder)
    const file = path.join(dir, 'app', 'lock')
    const lock = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    await end(holder, 'SIGKILL')
    await writeFile(file, JSON.stringify({ ...lock, pid: process.ppid }))
    const next = await StateDirectory.open(dir, 'app')
    await next.close()
  })

  test('a holder that cannot be seen counts as alive while it touches its lock', async () => {
    const dir = path.join(base, 'container')
    const holder = openInChild(dir)
    await firstLine(holder)
    const file = path.join(dir, 'app', 'lock')
    const lock = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    // As it looks from another container: the same file, touched, with a process id that means nothing here.
    await writeFile(file, JSON.stringify({ ...lock, pidNamespace: 'pid:[1]' }))
    await assert.rejects(StateDirectory.open(dir, 'app'), { code: 'state-dir-locked' })
    await end(holder, 'SIGKILL')
    const next = await StateDirectory.open(dir, 'app')
    await next.close()
  })

  test("another application's folder, a format that never was and a stranger's files are refused", async () => {
    const dir = path.join(base, 'foreign')
    await (await StateDirectory.open(dir, 'app')).close()
    const file = path.join(dir, 'app', 'weir.json')
    const identity = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    const refused = async (text: string, message: RegExp): Promise<void> => {
      await writeFile(file, text)
      await assert.rejects(StateDirectory.open(dir, 'app'), { code: 'state-dir-foreign', message })
    }
    await refused(JSON.stringify({ ...identity, applicationId: 'other' }), /it belongs to application other/)
    await refused(JSON.stringify({ ...identity, format: 0 }), /weir.json cannot be read/)
    await refused('{', /weir.json cannot be read/)

    await mkdir(path.join(base, 'java', 'app', '0_0'), { recursive: true })
    await assert.rejects(StateDirectory.open(path.join(base, 'java'), 'app'), {
      code: 'state-dir-foreign',
      message: /it holds 0_0 and no weir.json/,
    })
  })

  test('what a newer version has written is set aside as it is, also when that was interrupted', async () => {
    const dir = path.join(base, 'newer')
    const first = await StateDirectory.open(dir, 'app')
    assert.equal(first.newer, null)
    await first.close()
    const file = path.join(first.path, 'weir.json')
    const identity = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    const newer = JSON.stringify({ ...identity, format: 7, more: true })
    await writeFile(file, newer)
    // One is moved already.
    for (const task of ['format-7/0_0', '0_1', '0_2.damaged', 'global']) {
      await mkdir(path.join(first.path, task), { recursive: true })
      await writeFile(path.join(first.path, task, 'rows'), task)
    }
    await writeFile(path.join(first.path, 'topology.json'), '{}')

    const again = await StateDirectory.open(dir, 'app')
    const aside = path.join(first.path, 'format-7')
    assert.equal(again.newer, aside)
    assert.equal(again.processId, first.processId)
    assert.deepEqual((await readdir(first.path)).sort(), ['format-7', 'lock', 'weir.json'])
    assert.deepEqual((await readdir(aside)).sort(), [
      '0_0',
      '0_1',
      '0_2.damaged',
      'global',
      'topology.json',
      'weir.json',
    ])
    assert.equal(await readFile(path.join(aside, 'weir.json'), 'utf8'), newer)
    await again.close()
    const third = await StateDirectory.open(dir, 'app')
    assert.equal(third.newer, null)
    await third.close()
  })

  test('a folder that cannot be written to is named in one line', async () => {
    const dir = path.join(base, 'read-only')
    await mkdir(dir, { recursive: true })
    await chmod(dir, 0o555)
    await chmod(base, 0o755)
    // Permissions do not hold for root: then somebody else tries.
    const child = openInChild(dir, process.getuid?.() === 0 ? 'process.seteuid(65534)' : '')
    const line = await firstLine(child)
    assert.match(
      line,
      /^state-dir-read-only state folder .*read-only\/app \(WEIR_STATE_DIR\) cannot be written to: EACCES/,
    )
    await writeFile(path.join(base, 'file'), '')
    await assert.rejects(StateDirectory.open(path.join(base, 'file'), 'app'), { code: 'state-failed' })
  })
})
