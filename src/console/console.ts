import type { FastifyReply } from 'fastify'

import type { HttpRoutes } from '../observe/http-server.ts'
import type { ConsoleSource } from './console-source.ts'
import { History } from './history.ts'
import { readPageFiles } from './page-files.ts'
import { type ConsoleStatus, type Gathered, gather } from './status.ts'

/** Several pages that look at the same time are told the same. */
const FRESH_MS = 500

/**
 * The page at /console/, and what it asks for. Nothing is gathered before somebody asks, and no more than twice a second however many do.
 *
 *   GET /console/api/status?after=<id>   figures of this moment, and the log's lines after the one of that id
 *   GET /console/api/history             totals of the last moments that were asked for
 *   GET /console/api/topology            the topology and its layout
 *   GET /console/api/settings            what `weir config --json` prints
 */
export class Console {
  readonly #source: ConsoleSource
  readonly #history = new History()
  #topology: string | null = null
  #settings: string | null = null
  #gathering: Promise<Gathered> | null = null
  #freshUntilMs = 0

  constructor(source: ConsoleSource) {
    this.#source = source
  }

  /** The page's own files, the same for every application. */
  readonly pages: HttpRoutes = async (server) => {
    const send = (reply: FastifyReply, type: string, content: Buffer): FastifyReply =>
      reply.type(type).header('cache-control', 'no-cache').send(content)
    for (const { path, type, content } of await readPageFiles()) {
      server.get(`/console/${path}`, (_, reply) => send(reply, type, content))
      if (path === 'index.html') server.get('/console/', (_, reply) => send(reply, type, content))
    }
    server.get('/console', (_, reply) => reply.redirect('/console/', 308))
  }

  /** What the page shows. */
  readonly routes: HttpRoutes = (server) => {
    server.get<{ Querystring: { after?: unknown } }>('/console/api/status', async ({ query }) =>
      this.#status(Number(query.after ?? 0)),
    )
    server.get('/console/api/history', () => ({ points: this.#history.points }))
    server.get('/console/api/topology', async (_, reply) => sendJson(reply, await this.#describe()))
    server.get('/console/api/settings', (_, reply) => {
      this.#settings ??= this.#source.settings()
      return sendJson(reply, this.#settings)
    })
  }

  /** @param after the log's last line that is known; what is no number stands for none */
  async #status(after: number): Promise<ConsoleStatus> {
    const { recent } = this.#source
    const gathered = await this.#gather()
    return {
      ...gathered,
      log: { ...recent.counts, lines: recent.after(Number.isSafeInteger(after) ? after : 0) },
    }
  }

  #gather(): Promise<Gathered> {
    if (this.#gathering !== null && performance.now() < this.#freshUntilMs) return this.#gathering
    // As long as it lasts.
    this.#freshUntilMs = Number.POSITIVE_INFINITY
    this.#gathering = gather(this.#source)
      .then((gathered) => {
        this.#history.add(gathered.now)
        return gathered
      })
      .finally(() => {
        this.#freshUntilMs = performance.now() + FRESH_MS
      })
    return this.#gathering
  }

  async #describe(): Promise<string> {
    // The layout is code that a worker at which nobody looks does without.
    const { describedTopology } = await import('./described-topology.ts')
    const { topology, config } = this.#source
    this.#topology ??= JSON.stringify(describedTopology(topology, config.applicationId))
    return this.#topology
  }
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text)
}
