import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'

import { HttpAccess, listensAtLoopbackOnly } from '../../../src/observe/http-access.ts'
import { sendError } from '../../../src/observe/http-errors.ts'
import { type HttpServer, startHttpServer } from '../../../src/observe/http-server.ts'

const token = 'an-example-token-0123456789'

const routes = [
  (server: FastifyInstance): void => {
    server.get('/secret', async () => ({ secret: 42 }))
    server.get('/broken', () => {
      throw new Error('a path of this machine')
    })
  },
]
const pages = [
  (server: FastifyInstance): void => {
    server.get('/page', async (_, reply) => reply.type('text/html').send('<!doctype html>'))
  },
]

function start(given: string | null, onError?: (error: unknown) => void): Promise<HttpServer> {
  return startHttpServer({
    host: '127.0.0.1',
    port: 0,
    token: given,
    metrics: async () => 'a 1\n',
    health: () => ({ ok: true }),
    ready: () => ({ ok: true }),
    routes,
    pages,
    ...(onError !== undefined && { onError }),
  })
}

/** With headers that fetch does not let anyone set. */
function get(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
      .on('error', reject)
      .end()
  })
}

test('with a token, only who shows it sees what is behind the guard; probes, metrics and pages are for everyone', async () => {
  const server = await start(token)
  try {
    const status = async (path: string, authorization?: string, method = 'GET'): Promise<number> => {
      const headers = authorization === undefined ? {} : { authorization }
      return (await fetch(server.url + path, { method, headers })).status
    }
    assert.equal(await status('/secret', `Bearer ${token}`), 200)
    assert.equal(await status('/secret', `bearer   ${token} `), 200)
    for (const wrong of [
      undefined,
      '',
      'Bearer',
      token,
      `Basic ${token}`,
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
    ])
      assert.equal(await status('/secret', wrong), 401, wrong)
    assert.equal(await status('/secret', undefined, 'HEAD'), 401)
    for (const open of ['/metrics', '/healthz', '/readyz', '/page']) assert.equal(await status(open), 200)

    const refused = await fetch(`${server.url}/secret`, { headers: { authorization: 'Bearer wrong' } })
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="weir"')
    assert.deepEqual(await refused.json(), {
      code: 'token-wrong',
      message: 'this is not the token that WEIR_HTTP_TOKEN has',
    })
    // Whoever has the token may come by any name.
    const byName = await get(`${server.url}/secret`, {
      host: 'worker-1.example',
      authorization: `Bearer ${token}`,
    })
    assert.equal(byName.status, 200)
  } finally {
    await server.close()
  }
})

test('without a token a server at a loopback address answers, but not to a name that is not its own', async () => {
  const server = await start(null)
  try {
    for (const path of ['/secret', '/page']) {
      for (const host of ['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080', '192.0.2.1'])
        assert.equal((await get(server.url + path, { host })).status, 200, host)
      const refused = await get(server.url + path, { host: 'evil.example:8080' })
      assert.equal(refused.status, 403)
      assert.deepEqual(JSON.parse(refused.body), {
        code: 'host-unknown',
        message:
          'WEIR_HTTP_TOKEN is not set: this is answered to requests for localhost or an address, not for the host evil.example',
      })
    }
    assert.equal((await get(`${server.url}/healthz`, { host: 'evil.example' })).status, 200)
  } finally {
    await server.close()
  }
})

test('without a token a server that does not listen at a loopback address alone answers one line that names the variable', async () => {
  // Not bound to anything, which is not a loopback address.
  const server = fastify()
  server.setErrorHandler((error, _, reply) => sendError(error, reply))
  await new HttpAccess(server, { host: '0.0.0.0', token: null }).serve(routes, pages)
  for (const url of ['/secret', '/page']) {
    const response = await server.inject({ url, headers: { host: 'localhost' } })
    assert.equal(response.statusCode, 403)
    assert.deepEqual(response.json(), {
      code: 'token-not-set',
      message:
        'WEIR_HTTP_TOKEN is not set: this is answered only where WEIR_HTTP_HOST is a loopback address, not 0.0.0.0',
    })
  }
  await server.close()
})

test('which addresses are loopback addresses', () => {
  assert.ok(listensAtLoopbackOnly(['127.0.0.1', '::1', '127.9.9.9', '::ffff:127.0.0.1']))
  for (const other of ['0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', '128.0.0.1', 'fe80::1'])
    assert.equal(listensAtLoopbackOnly(['127.0.0.1', other]), false, other)
  assert.equal(listensAtLoopbackOnly([]), false)
})

test('what is behind the guard is not kept, and a page gets no script from elsewhere', async () => {
  const server = await start(null)
  try {
    const headers = async (path: string): Promise<Headers> => (await fetch(server.url + path)).headers
    assert.equal((await headers('/secret')).get('cache-control'), 'no-store')
    const page = await headers('/page')
    const policy = page.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; script-src 'self'; /)
    assert.doesNotMatch(policy, /unsafe/)
    assert.equal(page.get('x-content-type-options'), 'nosniff')
    assert.equal(page.get('x-frame-options'), 'DENY')
    assert.equal(page.get('referrer-policy'), 'no-referrer')
  } finally {
    await server.close()
  }
})

test('a failure inside is told to the log, not to the client', async () => {
  const errors: unknown[] = []
  const server = await start(null, (error) => errors.push(error))
  try {
    const response = await fetch(`${server.url}/broken`)
    assert.equal(response.status, 500)
    assert.deepEqual(await response.json(), {
      code: 'internal-error',
      message: 'the request failed; the log says why',
    })
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      ['a path of this machine'],
    )
    const unknown = await fetch(`${server.url}/secrets?x=1`)
    assert.equal(unknown.status, 404)
    assert.deepEqual(await unknown.json(), {
      code: 'route-unknown',
      message: 'there is nothing at GET /secrets',
    })
  } finally {
    await server.close()
  }
})
