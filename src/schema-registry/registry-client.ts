import { readFileSync } from 'node:fs'

import { Agent, request } from 'undici'

import { ConfigError } from '../config/config-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { RegistrySettings } from './registry-settings.ts'

/** Requests to one URL at a time. */
const CONNECTIONS = 8
const RESPONSE_BYTES_MAX = 64 * 2 ** 20
const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json'
/** Those that another try may cure: a time-out, too many requests. So may every status from 500 on. */
const RETRIABLE: readonly number[] = [408, 425, 429]

/** What the registry answered; of a refusal `body` has its message. */
export interface RegistryAnswer {
  readonly status: number
  readonly body: unknown
}

/** A request to one URL, and what came of it. */
export interface RegistryRequest {
  /** What it asks for: one schema by its id; a version of a subject; the versions that there are; a schema's id; the same, and registers it; whether a schema fits. */
  readonly kind: 'schema' | 'version' | 'versions' | 'look-up' | 'register' | 'check'
  readonly outcome: 'answered' | 'missing' | 'refused' | 'failed'
  readonly durationMs: number
}

export type RequestListener = (request: RegistryRequest) => void

/** Requests to a registry at several URLs, over connections that are kept. */
export class RegistryClient {
  readonly #settings: RegistrySettings
  readonly #onRequest: RequestListener
  readonly #agent: Agent
  readonly #headers: Readonly<Record<string, string>>
  /** Of the URL that answered last. */
  #current = 0

  /** @throws ConfigError for a certificate or a key that cannot be read */
  constructor(settings: RegistrySettings, onRequest: RequestListener) {
    const { username, password, requestTimeoutMs } = settings
    this.#onRequest = onRequest
    this.#settings = settings
    this.#agent = new Agent({
      connections: CONNECTIONS,
      maxResponseSize: RESPONSE_BYTES_MAX,
      connect: { timeout: requestTimeoutMs, ...tlsOf(settings) },
    })
    this.#headers = {
      accept: `${MEDIA_TYPE}, application/json`,
      'content-type': MEDIA_TYPE,
      ...(username !== null && {
        authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`,
      }),
    }
  }

  /** Asks each URL until one answers. @throws WeirError schema-registry-unreachable, schema-registry-refused */
  async send(
    kind: RegistryRequest['kind'],
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
  ): Promise<RegistryAnswer> {
    const { urls } = this.#settings
    const failures: string[] = []
    for (let tried = 0; tried < urls.length; tried++) {
      const index = (this.#current + tried) % urls.length
      const url = urls[index]!
      const answer = await this.#measured(kind, () => this.#ask(url, method, path, body))
      if (typeof answer === 'string') {
        failures.push(`${url}: ${answer}`)
        continue
      }
      this.#current = index
      return answer
    }
    throw new WeirError(
      'schema-registry-unreachable',
      `the schema registry does not answer: ${failures.join('; ')}`,
    )
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #measured(
    kind: RegistryRequest['kind'],
    ask: () => Promise<RegistryAnswer | string>,
  ): Promise<RegistryAnswer | string> {
    const startMs = performance.now()
    let outcome: RegistryRequest['outcome'] = 'refused'
    try {
      const answer = await ask()
      outcome = typeof answer === 'string' ? 'failed' : outcomeOf(answer)
      return answer
    } finally {
      this.#onRequest({ kind, outcome, durationMs: performance.now() - startMs })
    }
  }

  /** @returns why there is no answer, or the answer. @throws WeirError schema-registry-refused */
  async #ask(
    url: string,
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
  ): Promise<RegistryAnswer | string> {
    let status: number
    let text: string
    try {
      const response = await request(`${url.replace(/\/+$/, '')}${path}`, {
        dispatcher: this.#agent,
        method,
        headers: this.#headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(this.#settings.requestTimeoutMs),
      })
      status = response.statusCode
      text = await response.body.text()
    } catch (error) {
      return reasonOf(error, this.#settings.requestTimeoutMs)
    }
    if (status >= 500 || RETRIABLE.includes(status)) return `it answered ${status} ${reasonIn(text)}`.trim()
    if (status === 401 || status === 403) {
      const what = `the schema registry at ${url} refuses the credentials (${status}): WEIR_SCHEMA_REGISTRY_USERNAME and WEIR_SCHEMA_REGISTRY_PASSWORD`
      throw new WeirError('schema-registry-refused', what)
    }
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      return status === 404 ? 'it answered 404 without JSON: is the path right?' : 'it answered without JSON'
    }
    // A gateway has answers of its own, while it knows of no registry: nothing is missing then.
    const isOfGateway = (status === 404 || (method === 'GET' && status >= 300)) && !hasErrorCode(answer)
    if (isOfGateway)
      return `it answered ${status} without an error code: is the path right? ${reasonIn(text)}`.trim()
    return { status, body: answer }
  }
}

function outcomeOf({ status }: RegistryAnswer): RegistryRequest['outcome'] {
  if (status >= 200 && status < 300) return 'answered'
  return status === 404 ? 'missing' : 'refused'
}

/** Every registry's refusal has a number besides that of HTTP: 40403 for a schema that is not there. */
function hasErrorCode(body: unknown): boolean {
  return typeof (body as { error_code?: unknown } | null)?.error_code === 'number'
}

/** What a refusal says. */
export function reasonIn(body: unknown): string {
  if (typeof body === 'string') {
    try {
      return reasonIn(JSON.parse(body))
    } catch {
      return ''
    }
  }
  const { message } = (body ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message.replace(/\s+/g, ' ').trim() : ''
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if ((error as { name?: unknown }).name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  // Of several addresses each has its own error.
  const { errors } = error as { errors?: readonly unknown[] }
  return messageOf(errors?.[0] ?? error)
}

function tlsOf(settings: RegistrySettings): Record<string, string | Buffer> {
  const { caLocation, certificateLocation, keyLocation, keyPassword } = settings
  return {
    ...(caLocation !== null && { ca: pem('WEIR_SCHEMA_REGISTRY_SSL_CA_LOCATION', caLocation) }),
    ...(certificateLocation !== null && {
      cert: pem('WEIR_SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION', certificateLocation),
    }),
    ...(keyLocation !== null && { key: pem('WEIR_SCHEMA_REGISTRY_SSL_KEY_LOCATION', keyLocation) }),
    ...(keyPassword !== null && { passphrase: keyPassword }),
  }
}

function pem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError([`${variable}=${path}: cannot be read: ${messageOf(error)}`])
  }
}
