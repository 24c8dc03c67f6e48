import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'

import { HttpError } from './http-errors.ts'

/** What one request, and one client, may take of the server. */
export interface RequestLimits {
  /** More is answered with 413. */
  readonly bodyBytesMax: number
  /** Path and query, as they are sent. More is answered with 414. */
  readonly urlBytesMax: number
  /** The request line and all headers. More is answered with 431. */
  readonly headerBytesMax: number
  /** How long a request may take to arrive, ms; after that it is answered with 408. */
  readonly requestTimeoutMs: number
  /** A connection on which nothing comes or goes for so long is closed, ms. */
  readonly idleTimeoutMs: number
  /** Further ones are closed at once, without an answer. */
  readonly connectionsMax: number
  /** Of one client, by its address, probes apart. More are answered with 429. WEIR_HTTP_REQUESTS_PER_SECOND_MAX. */
  readonly requestsPerSecondMax: number
}

export const requestLimits: RequestLimits = {
  bodyBytesMax: 64 * 2 ** 10,
  urlBytesMax: 8 * 2 ** 10,
  headerBytesMax: 16 * 2 ** 10,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  connectionsMax: 512,
  requestsPerSecondMax: 1_000,
}

/** Whoever looks after the process must not be kept from it by others behind the same address. */
const PROBES = ['/healthz', '/readyz']
/** How many clients are told apart; beyond, those that were not heard of for longest begin anew. */
const CLIENTS_MAX = 10_000

/** The limits that are not among fastify's own options. REQUIRES that no route was added. */
export async function limitRequests(server: FastifyInstance, limits: RequestLimits): Promise<void> {
  server.server.maxConnections = limits.connectionsMax
  server.addHook('onRequest', async ({ raw }) => {
    // Node gives the bytes of the request line as latin1: a character is a byte.
    if ((raw.url?.length ?? 0) > limits.urlBytesMax) {
      throw new HttpError(414, 'url-too-long', `the URL is longer than ${limits.urlBytesMax} bytes`)
    }
  })
  await server.register(rateLimit, {
    global: false,
    max: limits.requestsPerSecondMax,
    timeWindow: 1_000,
    cache: CLIENTS_MAX,
    allowList: ({ url }) => PROBES.includes(url.split('?')[0]!),
    errorResponseBuilder: () => {
      const what = `one client may make ${limits.requestsPerSecondMax} requests in a second (WEIR_HTTP_REQUESTS_PER_SECOND_MAX)`
      return new HttpError(429, 'too-many-requests', what, { 'retry-after': '1' })
    },
  })
  // Before it is looked who asks: tokens cannot be tried out faster.
  server.addHook('onRequest', server.rateLimit())
}
