import type { MessagePort } from 'node:worker_threads'

import type { SerializedError } from './protocol.ts'

/** Answers one kind of request. What it throws reaches the asker, with its code. */
export type Handlers<M> = {
  [K in keyof M]: M[K] extends { request: infer Q; response: infer A }
    ? (request: Q) => A | Promise<A>
    : never
}

type Message =
  | { kind: 'request'; id: number; name: string; body: unknown }
  | { kind: 'response'; id: number; body: unknown }
  | { kind: 'refusal'; id: number; error: SerializedError }
  | { kind: 'notice'; body: unknown }

export function serializeError(cause: unknown): SerializedError {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const code = (error as { code?: unknown }).code
  return {
    name: error.name,
    message: error.message,
    code: typeof code === 'string' ? code : '',
    stack: error.stack ?? '',
  }
}

export function deserializeError(from: SerializedError): Error & { code: string } {
  const error = Object.assign(new Error(from.message), { code: from.code })
  error.name = from.name
  error.stack = from.stack
  return error
}

/**
 * Requests, answers and notices between two threads over a MessagePort. Messages keep their order; an answer may overtake another.
 * When the port closes, open requests reject with code `closed`, as do later ones.
 */
export class Channel<Outgoing, Incoming, Notice> {
  readonly #port: MessagePort
  readonly #handlers: Handlers<Incoming>
  readonly #onNotice: (notice: Notice) => void
  readonly #open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  #nextId = 0
  #isClosed = false
  /** Resolves when either side has closed the port, after every message that was sent before. */
  readonly closed: Promise<void>

  constructor(
    port: MessagePort,
    handlers: Handlers<Incoming>,
    onNotice: (notice: Notice) => void = () => {},
  ) {
    this.#port = port
    this.#handlers = handlers
    this.#onNotice = onNotice
    port.on('message', (message: Message) => this.#receive(message))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    port.on('close', () => {
      this.#isClosed = true
      for (const { reject } of this.#open.values()) reject(otherThreadGone())
      this.#open.clear()
      resolve()
    })
  }

  request<K extends keyof Outgoing & string>(
    name: K,
    body: Outgoing[K] extends { request: infer Q } ? Q : never,
  ): Promise<Outgoing[K] extends { response: infer A } ? A : never> {
    if (this.#isClosed) return Promise.reject(otherThreadGone())
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      this.#post({ kind: 'request', id, name, body })
    })
  }

  notify(body: unknown): void {
    this.#post({ kind: 'notice', body })
  }

  close(): void {
    this.#port.close()
  }

  #post(message: Message): void {
    this.#port.postMessage(message)
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'notice':
        this.#onNotice(message.body as Notice)
        break
      case 'request':
        void this.#answer(message.id, message.name, message.body)
        break
      case 'response':
        this.#open.get(message.id)?.resolve(message.body as never)
        this.#open.delete(message.id)
        break
      case 'refusal':
        this.#open.get(message.id)?.reject(deserializeError(message.error))
        this.#open.delete(message.id)
        break
    }
  }

  async #answer(id: number, name: string, body: unknown): Promise<void> {
    try {
      const handlers = this.#handlers as unknown as Record<string, (body: unknown) => unknown>
      const handler = handlers[name]
      if (handler === undefined) throw new Error(`no handler for ${name}`)
      this.#post({ kind: 'response', id, body: await handler(body) })
    } catch (error) {
      this.#post({ kind: 'refusal', id, error: serializeError(error) })
    }
  }
}

function otherThreadGone(): Error {
  return Object.assign(new Error('the other thread is gone'), { code: 'closed' })
}
