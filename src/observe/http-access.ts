import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import { HttpError } from './http-errors.ts'
import type { HttpRoutes } from './http-server.ts'

export interface HttpAccessOptions {
  /** As it is listened at. */
  readonly host: string
  /** null: none is asked for. */
  readonly token: string | null
}

/**
 * For every answer behind the guard. A page's scripts and styles come from this server alone, none stands within the page, and no other page shows it in
 * a frame.
 */
const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/**
 * Who is answered: with a token whoever shows it, as `Authorization: Bearer`; without one whoever is on this machine, by the server listening
 * nowhere else. A browser on this machine shows pages of others, too, whose names can be made to mean this address (DNS rebinding): so
 * without a token the server has to be called by an address, by `localhost` or by the name that it listens at.
 */
export class HttpAccess {
  readonly #server: FastifyInstance
  readonly #options: HttpAccessOptions
  readonly #tokenHash: Buffer | null
  /** Known when it listens. */
  #isLoopback: boolean | null = null

  constructor(server: FastifyInstance, options: HttpAccessOptions) {
    this.#server = server
    this.#options = options
    this.#tokenHash = options.token === null ? null : hashOf(options.token)
  }

  /** @param pages need no token */
  async serve(routes: readonly HttpRoutes[], pages: readonly HttpRoutes[]): Promise<void> {
    const asked: FastifyPluginAsync = async (guarded) => {
      guarded.addHook('onRequest', async (request, reply) => this.#checkToken(request, reply))
      for (const add of routes) await guarded.register(apart(add))
    }
    const here: FastifyPluginAsync = async (open) => {
      open.addHook('onRequest', async (request, reply) => this.#checkPlace(request, reply))
      for (const add of pages) await open.register(apart(add))
      await open.register(asked)
    }
    await this.#server.register(here)
  }

  #checkPlace(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers(securityHeaders)
    if (this.#tokenHash !== null) return
    this.#isLoopback ??= listensAtLoopbackOnly(this.#addresses())
    if (!this.#isLoopback) {
      const what = `WEIR_HTTP_TOKEN is not set: this is answered only where WEIR_HTTP_HOST is a loopback address, not ${this.#options.host}`
      throw new HttpError(403, 'token-not-set', what)
    }
    if (!this.#isOwnName(request.hostname)) {
      const what = `WEIR_HTTP_TOKEN is not set: this is answered to requests for localhost or an address, not for the host ${request.hostname}`
      throw new HttpError(403, 'host-unknown', what)
    }
  }

  #addresses(): string[] {
    return this.#server.addresses().map((bound) => (typeof bound === 'string' ? bound : bound.address))
  }

  #isOwnName(name: string): boolean {
    const bare = name.replace(/^\[|\]$/g, '').toLowerCase()
    return isIP(bare) !== 0 || bare === 'localhost' || bare === this.#options.host.toLowerCase()
  }

  #checkToken(request: FastifyRequest, reply: FastifyReply): void {
    // What it shows is nobody else's.
    reply.header('cache-control', 'no-store')
    if (this.#tokenHash === null) return
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
    // Hashes are of one length, and tell nothing of where two tokens differ.
    if (token !== undefined && timingSafeEqual(hashOf(token), this.#tokenHash)) return
    throw new HttpError(
      401,
      'token-wrong',
      token === undefined
        ? 'this needs the header Authorization: Bearer, with the token that WEIR_HTTP_TOKEN has'
        : 'this is not the token that WEIR_HTTP_TOKEN has',
      { 'www-authenticate': 'Bearer realm="weir"' },
    )
  }
}

/** What it does to its server concerns its own routes alone. */
function apart(add: HttpRoutes): FastifyPluginAsync {
  return async (scope) => await add(scope)
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** @param addresses that a server is bound to */
export function listensAtLoopbackOnly(addresses: readonly string[]): boolean {
  return (
    addresses.length > 0 &&
    addresses.every((address) => address === '::1' || /^(::ffff:)?127\./i.test(address))
  )
}
