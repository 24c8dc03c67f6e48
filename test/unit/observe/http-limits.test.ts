import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'

import { type RequestLimits, requestLimits } from '../../../src/observe/http-limits.ts'
import { type HttpServer, startHttpServer } from '../../../src/observe/http-server.ts'

function start(limits: Partial<RequestLimits> = {}): Promise<HttpServer> {
  return startHttpServer({
    host: '127.0.0.1',
    port: 0,
    token: null,
    metrics: async () => '',
    health: () => ({ ok: true }),
    ready: () => ({ ok: true }),
    limits,
    routes: [
      (server: FastifyInstance): void => {
        server.get('/echo/:key', async (request) => request.params)
        server.post('/echo', async (request) => request.body)
      },
    ],
  })
}

async function answered(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { code: string }).code]
}

/** Everything that the server says to this, until it ends the connection. */
async function talk(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setEncoding('utf8').write(text)
  let heard = ''
  socket.on('data', (part) => {
    heard += part
  })
  await once(socket, 'close')
  return heard
}

test('a body, a URL and headers have a limit each, and an answer of their own', async () => {
  const server = await start()
  try {
    const post = (bytes: number): Promise<Response> =>
      fetch(`${server.url}/echo`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify('x'.repeat(bytes - 2)),
      })
    assert.equal((await post(requestLimits.bodyBytesMax)).status, 200)
    assert.deepEqual(await answered(await post(requestLimits.bodyBytesMax + 1)), [413, 'body-too-large'])

    const path = (bytes: number): string => `/echo/${'k'.repeat(bytes - '/echo/'.length)}`
    assert.equal((await fetch(server.url + path(requestLimits.urlBytesMax))).status, 200)
    const longer = await fetch(server.url + path(requestLimits.urlBytesMax + 1))
    assert.deepEqual(await answered(longer), [414, 'url-too-long'])
    const query = await fetch(`${server.url}/healthz?${'q'.repeat(requestLimits.urlBytesMax)}`)
    assert.deepEqual(await answered(query), [414, 'url-too-long'])
    assert.deepEqual(await answered(await fetch(`${server.url}/echo/%E0%A4`)), [400, 'url-invalid'])

    const headers = (bytes: number): Promise<Response> =>
      fetch(`${server.url}/healthz`, { headers: { 'x-filler': 'f'.repeat(bytes) } })
    assert.equal((await headers(requestLimits.headerBytesMax / 2)).status, 200)
    assert.deepEqual(await answered(await headers(requestLimits.headerBytesMax)), [431, 'headers-too-large'])
    assert.match(
      await talk(server.url, 'nonsense\r\n\r\n'),
      /^HTTP\/1\.1 400 Bad Request\r\n.*"code":"request-invalid"/s,
    )
  } finally {
    await server.close()
  }
})

test('a request that does not arrive, and a connection that says nothing, are ended', async () => {
  const server = await start({ requestTimeoutMs: 50, idleTimeoutMs: 300 })
  try {
    const late = await talk(server.url, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n')
    assert.match(late, /^HTTP\/1\.1 408 Request Timeout\r\n.*"code":"request-timeout"/s)
    assert.match(await talk(server.url, ''), /^HTTP\/1\.1 408 /)
    // It stays open after an answer, for a while.
    const idle = await talk(server.url, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n')
    assert.match(idle, /^HTTP\/1\.1 200 OK\r\n.*connection: keep-alive.*\{"status":"ok"\}$/is)
  } finally {
    await server.close()
  }
})

test('no more connections than there may be', async () => {
  const server = await start({ connectionsMax: 2 })
  const { hostname, port } = new URL(server.url)
  const sockets = [1, 2].map(() => connect(Number(port), hostname))
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    // Accepted, so that both count.
    for (const socket of sockets) {
      socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n')
      await once(socket, 'data')
    }
    const further = connect(Number(port), hostname)
    further.on('error', () => {})
    await once(further, 'close')
    sockets[0]!.destroy()
    await once(sockets[0]!, 'close')
    let status = 0
    // The server hears of the end a little later.
    while (status !== 200) {
      status = await fetch(`${server.url}/healthz`).then(
        (response) => response.status,
        () => 0,
      )
    }
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.close()
  }
})

test('a client that asks too often is told to wait; probes are answered', async () => {
  const server = await start({ requestsPerSecondMax: 3 })
  try {
    const statuses: number[] = []
    let refused: Response | null = null
    // Some of them may fall into the next second.
    for (let n = 0; n < 20; n++) {
      const response = await fetch(`${server.url}/echo/${n}`)
      statuses.push(response.status)
      if (response.status === 429) refused = response
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
    }
    assert.deepEqual(statuses.slice(0, 3), [200, 200, 200])
    assert.ok(refused !== null, statuses.join())
    assert.equal(refused.headers.get('retry-after'), '1')
    assert.deepEqual(await answered(refused), [429, 'too-many-requests'])
  } finally {
    await server.close()
  }
})
