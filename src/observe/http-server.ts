import { type FastifyReply, fastify } from 'fastify'

import { messageOf, WeirError } from '../errors/weir-error.ts'
import { metricsContentType } from './render-metrics.ts'

/** An answer to a probe: ok, or what is wrong in one line. */
export type Probe = { readonly ok: true } | { readonly ok: false; readonly reason: string }

export interface HttpServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Prometheus' text. */
  readonly metrics: () => Promise<string>
  /** Whether the process is worth keeping: 503 makes an orchestrator start it anew. */
  readonly health: () => Probe
  /** Whether every task it was given runs. */
  readonly ready: () => Probe
}

export interface HttpServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string
  close(): Promise<void>
}

/** How long an answer with metrics may take: a thread that does not answer must not hold up the probe's connection for ever. */
const METRICS_TIMEOUT_MS = 10_000

/**
 * Serves /metrics, /healthz and /readyz.
 *
 * @throws WeirError config-invalid when the address cannot be listened at
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = fastify({ logger: false, forceCloseConnections: true })
  server.get('/metrics', async (_, reply) => {
    try {
      const text = await withTimeout(options.metrics(), METRICS_TIMEOUT_MS)
      return await reply.type(metricsContentType).send(text)
    } catch (error) {
      return await reply
        .code(500)
        .type('text/plain')
        .send(`${messageOf(error)}\n`)
    }
  })
  server.get('/healthz', (_, reply) => answer(reply, options.health()))
  server.get('/readyz', (_, reply) => answer(reply, options.ready()))
  try {
    const url = await server.listen({ host: options.host, port: options.port })
    return { url, close: () => server.close() }
  } catch (error) {
    await server.close()
    const setting = `WEIR_HTTP_PORT=${options.port}`
    throw new WeirError(
      'config-invalid',
      `${setting}: ${options.host} cannot be listened at: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** With whatever else the probe says. */
function answer(reply: FastifyReply, { ok, ...rest }: Probe): FastifyReply {
  return reply.code(ok ? 200 : 503).send({ status: ok ? 'ok' : 'failing', ...rest })
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no metrics within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
