import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'

import { messageOf, WeirError } from '../errors/weir-error.ts'
import { HttpAccess } from './http-access.ts'
import { sendClientError, sendError, sendNotFound } from './http-errors.ts'
import { limitRequests, type RequestLimits, requestLimits } from './http-limits.ts'
import { metricsContentType } from './render-metrics.ts'

/** An answer to a probe: ok, or what is wrong in one line. */
export type Probe = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** Adds routes to a server, or to a part of it. */
export type HttpRoutes = (server: FastifyInstance) => void | Promise<void>

export interface HttpServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** WEIR_HTTP_TOKEN; null: what `routes` adds is served at a loopback address only. A secret. */
  readonly token: string | null
  /** Prometheus' text. */
  readonly metrics: () => Promise<string>
  /** Whether the process is worth keeping: 503 makes an orchestrator start it anew. */
  readonly health: () => Probe
  /** Whether every task it was given runs. */
  readonly ready: () => Probe
  /** What shows state, or changes it: answered only to those who may see it (see {@link HttpAccess}). */
  readonly routes?: readonly HttpRoutes[]
  /** Files of a page, the same for every application: whoever may ask needs no token for them. */
  readonly pages?: readonly HttpRoutes[]
  /** Default: {@link requestLimits}. */
  readonly limits?: Partial<RequestLimits>
  /** Hears of errors that the client is told nothing about. */
  readonly onError?: (error: unknown) => void
}

export interface HttpServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string
  close(): Promise<void>
}

/** How long an answer with metrics may take: a thread that does not answer must not hold up the probe's connection for ever. */
const METRICS_TIMEOUT_MS = 10_000

/**
 * Serves /metrics, /healthz and /readyz to everyone, and further routes to those who may see them; within limits.
 *
 * @throws WeirError config-invalid when the address cannot be listened at
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...requestLimits, ...options.limits }
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    // How long it may be is for the hook on the whole URL.
    routerOptions: { maxParamLength: limits.urlBytesMax },
    http: {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.requestTimeoutMs),
    },
    clientErrorHandler: sendClientError,
    frameworkErrors: (error, _, reply) => void sendError(error, reply, options.onError),
  })
  server.setErrorHandler((error, _, reply) => sendError(error, reply, options.onError))
  server.setNotFoundHandler(sendNotFound)
  try {
    await limitRequests(server, limits)
    serveProbes(server, options)
    await new HttpAccess(server, options).serve(options.routes ?? [], options.pages ?? [])
    const url = await server.listen({ host: options.host, port: options.port })
    return { url, close: () => server.close() }
  } catch (error) {
    await server.close()
    // A route that cannot be added is a bug, a port that is taken a setting.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
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

function serveProbes(server: FastifyInstance, options: HttpServerOptions): void {
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
