/** Rows that are not in memory, with io_uring and where it is forbidden. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import { ioUringProblem } from '../../../src/native.ts'

const run = promisify(execFile)
const script = path.join(import.meta.dirname, 'cold-reads/look-up.ts')
const support = path.resolve(import.meta.dirname, '../../support')

describe('look-ups of rows that are not in memory', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weir-cold-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function lookUp(name: string, ...command: string[]): Promise<unknown> {
    const [program = '', ...args] = [...command, process.execPath, script, path.join(folder, name)]
    const { stdout } = await run(program, args)
    return JSON.parse(stdout)
  }

  test('through io_uring, where this machine allows it', async (t) => {
    const problem = ioUringProblem()
    if (problem !== null) return t.skip(problem)
    assert.deepEqual(await lookUp('allowed'), { by: 'io_uring', right: 40_100, hasReadCold: true })
  })

  test('where it is forbidden: by threads, with the reason', async () => {
    const launcher = path.join(folder, 'without-io-uring')
    await run('cc', ['-o', launcher, path.join(support, 'without-io-uring.c')])
    assert.deepEqual(await lookUp('forbidden', launcher), {
      by: 'read-threads',
      reason: 'io_uring_setup: Operation not permitted',
      right: 40_100,
      hasReadCold: true,
    })
  })
})
