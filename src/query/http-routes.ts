import type { FastifyInstance, FastifyReply } from 'fastify'

import { HttpError } from '../observe/http-errors.ts'
import type { HttpRoutes } from '../observe/http-server.ts'
import { bytesSerde } from '../serde/bytes.ts'
import { HttpParameters } from './http-parameters.ts'
import { jsonValue, parseKey, writeKey } from './key-text.ts'
import { QueryError, type QueryErrorReason } from './query-error.ts'
import {
  type QueriedRows,
  type QueryableStore,
  type QueryOptions,
  queries,
  type RangeOptions,
  type StateQuery,
  type StateQueryResult,
} from './state-query.ts'

/** What the routes ask. */
export interface QueryableApplication {
  query<R>(store: string, query: StateQuery<R>, options?: QueryOptions): Promise<StateQueryResult<R>>
  queryableStores(): readonly QueryableStore[]
  answerForwardedQuery(text: string): Promise<string>
}

const statuses: Readonly<Record<QueryErrorReason, number>> = {
  'does-not-exist': 404,
  'unknown-query-type': 400,
  'query-invalid': 400,
  'not-present': 503,
  'not-active': 503,
  'not-up-to-bound': 503,
  overloaded: 503,
  timeout: 503,
  'store-exception': 500,
}

/** In seconds: how soon the same may be answered. */
const RETRY_AFTER_SECONDS = '1'

/**
 * Serves the stores' rows as JSON: see docs/queries.md.
 *
 * @param application null while it starts
 * @param forwardedPath where other processes of the application ask
 */
export function queryRoutes(
  application: () => QueryableApplication | null,
  forwardedPath: string,
): HttpRoutes {
  const running = (): QueryableApplication => {
    const one = application()
    if (one !== null) return one
    throw new QueryError('not-active', 'the application is starting')
  }
  return (server) => {
    server.setErrorHandler((error) => {
      throw named(error)
    })
    server.get('/state', async (_, reply) => json(reply, 200, { stores: running().queryableStores() }))
    server.get<{ Params: { store: string } }>('/state/:store', async ({ params, query }, reply) =>
      json(reply, 200, await rows(running(), params.store, query)),
    )
    server.get<{ Params: { store: string; key: string } }>(
      '/state/:store/:key',
      async ({ params, query }, reply) => row(running(), params, query, reply),
    )
    server.get<{ Params: { store: string; key: string } }>(
      '/state/:store/:key/windows',
      async ({ params, query }, reply) => json(reply, 200, await windows(running(), params, query)),
    )
    serveForwarded(server, running, forwardedPath)
  }
}

function serveForwarded(server: FastifyInstance, running: () => QueryableApplication, path: string): void {
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => done(null, body))
  server.post<{ Body: string }>(path, async ({ body }, reply) => {
    const answer = await running().answerForwardedQuery(String(body))
    return reply.type('application/json; charset=utf-8').send(answer)
  })
}

function named(error: unknown): unknown {
  if (!(error instanceof QueryError)) return error
  const headers = error.isRetriable ? { 'retry-after': RETRY_AFTER_SECONDS } : {}
  return new HttpError(statuses[error.code], error.code, error.message, headers)
}

function json(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body, jsonValue))
}

/** @throws QueryError does-not-exist */
function storeOf(application: QueryableApplication, name: string): QueryableStore {
  const stores = application.queryableStores()
  const store = stores.find((one) => one.name === name)
  if (store !== undefined) return store
  const names = stores.map((one) => one.name).join(', ')
  throw new QueryError('does-not-exist', `there is no store ${name}: there are ${names || 'none'}`)
}

async function row(
  application: QueryableApplication,
  params: { readonly store: string; readonly key: string },
  given: unknown,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const store = storeOf(application, params.store)
  const isVersioned = store.type === 'versioned'
  const parameters = new HttpParameters(given, isVersioned ? ['as-of'] : [])
  const key = parseKey(params.key, store.key, 'the key')
  const asOfMs = parameters.integer('as-of')
  const query: StateQuery<unknown> = isVersioned
    ? queries.version(key, asOfMs === undefined ? {} : { asOfMs })
    : store.type === 'timestamped-key-value'
      ? queries.timestampedKey(key)
      : queries.key(key)
  const { value, position, partitions } = await application.query(store.name, query, parameters.options())
  const where = { partitions, position }
  if (value === null) {
    const message = `store ${store.name} has no row with this key`
    return json(reply, 404, { code: 'key-absent', message, ...where })
  }
  const isPlain = !isVersioned && store.type !== 'timestamped-key-value'
  return json(reply, 200, { key, ...(isPlain ? { value } : (value as object)), ...where })
}

async function rows(application: QueryableApplication, name: string, given: unknown): Promise<object> {
  const store = storeOf(application, name)
  const parameters = new HttpParameters(given, ['from', 'to', 'after', 'prefix', 'limit', 'reverse', 'count'])
  const options = parameters.options()
  if (parameters.flag('count')) {
    const { value, ...where } = await application.query(name, queries.count(), options)
    return { count: value, ...where }
  }
  const [from, to, after] = ['from', 'to', 'after'].map((parameter) => {
    const text = parameters.text(parameter)
    return text === undefined ? undefined : parseKey(text, store.key, parameter)
  })
  const limit = parameters.integer('limit')
  const range: RangeOptions<unknown> = {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(after !== undefined && { after }),
    ...prefixOf(parameters.text('prefix'), store),
    ...(limit !== undefined && { limit }),
    reverse: parameters.flag('reverse'),
  }
  const isTimestamped = store.type === 'timestamped-key-value'
  const query: StateQuery<QueriedRows<unknown, unknown>> = isTimestamped
    ? queries.timestampedRange(range)
    : queries.range(range)
  const { value, ...where } = await application.query(name, query, options)
  return {
    rows: value.rows.map((one) => (isTimestamped ? { key: one.key, ...(one.value as object) } : one)),
    next: value.next === null ? null : writeKey(value.next, store.key),
    ...where,
  }
}

/** The bytes of a text, or bytes. @throws QueryError query-invalid */
function prefixOf(
  text: string | undefined,
  store: QueryableStore,
): { prefix?: { value: Buffer; serde: typeof bytesSerde } } {
  if (text === undefined) return {}
  if (store.key !== 'string' && store.key !== 'bytes')
    throw new QueryError('query-invalid', `prefix: keys of store ${store.name} (${store.key}) have none`)
  const value = store.key === 'bytes' ? (parseKey(text, 'bytes', 'prefix') as Buffer) : Buffer.from(text)
  return { prefix: { value, serde: bytesSerde } }
}

async function windows(
  application: QueryableApplication,
  params: { readonly store: string; readonly key: string },
  given: unknown,
): Promise<object> {
  const store = storeOf(application, params.store)
  const parameters = new HttpParameters(given, ['from', 'to', 'limit'])
  const key = parseKey(params.key, store.key, 'the key')
  const [from, to, limit] = ['from', 'to', 'limit'].map((name) => parameters.integer(name))
  const options = {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(limit !== undefined && { limit }),
  }
  const query = store.type === 'session' ? queries.sessions(key, options) : queries.windows(key, options)
  const { value, ...where } = await application.query(store.name, query, parameters.options())
  return { key, ...value, ...where }
}
