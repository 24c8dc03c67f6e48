import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { decisionFor } from '../../../src/errors/decision.ts'
import { type Probe, startHttpServer } from '../../../src/observe/http-server.ts'

test('serves metrics and both probes, and says what is wrong', async () => {
  let health: Probe = { ok: true }
  let ready: Probe = { ok: false, reason: 'task 0_1 restores' }
  let broken = false
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    token: null,
    metrics: () => (broken ? Promise.reject(new Error('thread 1 is gone')) : Promise.resolve('a 1\n')),
    health: () => health,
    ready: () => ready,
  })
  try {
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    const get = async (path: string): Promise<[number, string, string | null]> => {
      const response = await fetch(server.url + path)
      return [response.status, await response.text(), response.headers.get('content-type')]
    }
    assert.deepEqual(await get('/metrics'), [200, 'a 1\n', 'text/plain; version=0.0.4; charset=utf-8'])
    assert.deepEqual((await get('/healthz')).slice(0, 2), [200, '{"status":"ok"}'])
    assert.deepEqual((await get('/readyz')).slice(0, 2), [
      503,
      '{"status":"failing","reason":"task 0_1 restores"}',
    ])
    health = { ok: true, versions: { weir: '1' } } as Probe
    assert.deepEqual((await get('/healthz')).slice(0, 2), [200, '{"status":"ok","versions":{"weir":"1"}}'])
    health = { ok: false, reason: 'stream thread 0 stands still' }
    ready = { ok: true }
    broken = true
    assert.equal((await get('/healthz'))[0], 503)
    assert.equal((await get('/readyz'))[0], 200)
    assert.deepEqual((await get('/metrics')).slice(0, 2), [500, 'thread 1 is gone\n'])
    assert.equal((await get('/elsewhere'))[0], 404)
    assert.equal((await get('/readyz?verbose'))[0], 200)
    const head = await fetch(`${server.url}/readyz`, { method: 'HEAD' })
    assert.deepEqual([head.status, await head.text()], [200, ''])
    assert.equal((await fetch(`${server.url}/readyz`, { method: 'POST' })).status, 404)
  } finally {
    await server.close()
  }
})

test('a port that is taken is one line that names the variable', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  const ok = (): Probe => ({ ok: true })
  const options = { host: '127.0.0.1', port, token: null, metrics: async () => '', health: ok, ready: ok }
  await assert.rejects(startHttpServer(options), (error: Error) => {
    assert.match(
      error.message,
      new RegExp(`^WEIR_HTTP_PORT=${port}: 127.0.0.1 cannot be listened at: .*EADDRINUSE`),
    )
    return decisionFor(error).exitCode === 2
  })
  other.close()
})
