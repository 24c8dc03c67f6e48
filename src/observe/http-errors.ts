import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

import { messageOf, oneLine } from '../errors/weir-error.ts'

/** What every answer holds that is an error. */
export interface HttpErrorBody {
  /** Stays the same from version to version. */
  readonly code: string
  /** One line for people: what, where, and what is allowed. */
  readonly message: string
}

/** An answer that is an error. Thrown in a hook or a handler. */
export class HttpError extends Error {
  readonly statusCode: number
  readonly code: string
  /** Set on the answer. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    statusCode: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(oneLine(message))
    this.name = 'HttpError'
    this.statusCode = statusCode
    this.code = code
    this.headers = headers
  }
}

/** Of fastify's own errors; any other has its status' name. */
const codes: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_MAX_PARAM_LENGTH: 'url-too-long',
  FST_ERR_BAD_URL: 'url-invalid',
}

/** The client's errors are told in full; of others it hears nothing, and `onError` does. */
export function sendError(
  error: unknown,
  reply: FastifyReply,
  onError: (error: unknown) => void = () => {},
): FastifyReply {
  if (error instanceof HttpError) {
    const { statusCode, code, message, headers } = error
    return send(reply.headers(headers), statusCode, { code, message })
  }
  const { statusCode = 500, code = '' } = error as Partial<FastifyError>
  if (statusCode >= 400 && statusCode < 500)
    return send(reply, statusCode, { code: codes[code] ?? 'request-invalid', message: messageOf(error) })
  onError(error)
  return send(reply, 500, { code: 'internal-error', message: 'the request failed; the log says why' })
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path] = request.url.split('?')
  return send(reply, 404, {
    code: 'route-unknown',
    message: `there is nothing at ${request.method} ${path}`,
  })
}

/** Answers what is no request, or none within its limits, and ends the connection. */
export function sendClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, code, message] = clientErrors[error.code ?? ''] ?? [
    '400 Bad Request',
    'request-invalid',
    'this is no HTTP request',
  ]
  const body: HttpErrorBody = { code, message }
  const text = JSON.stringify(body)
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8`
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`, () => socket.destroy())
}

const clientErrors: Readonly<Record<string, readonly [string, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request-timeout', 'the request took too long to arrive'],
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers-too-large',
    'the request line and the headers are too large',
  ],
}

function send(reply: FastifyReply, status: number, body: HttpErrorBody): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(body)
}
