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
}

export const requestLimits: RequestLimits = {
  bodyBytesMax: 64 * 2 ** 10,
  urlBytesMax: 8 * 2 ** 10,
  headerBytesMax: 16 * 2 ** 10,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  connectionsMax: 512,
}

/** The limits that are not among fastify's own options. REQUIRES that no route was added. */
export async function limitRequests(server: FastifyInstance, limits: RequestLimits): Promise<void> {
  server.server.maxConnections = limits.connectionsMax
  server.addHook('onRequest', async ({ raw }) => {
    // Node gives the bytes of the request line as latin1: a character is a byte.
    if ((raw.url?.length ?? 0) > limits.urlBytesMax) {
      throw new HttpError(414, 'url-too-long', `the URL is longer than ${limits.urlBytesMax} bytes`)
    }
  })
}
