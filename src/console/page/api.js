/** What the worker is asked. The token is kept for this tab alone, until it is closed. */

const tokenKey = 'weir-token'

/** The worker wants a token, or another one. */
export class TokenNeeded extends Error {}

/** An answer that is no success: its message is for people. */
export class RequestFailed extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message)
    this.status = status
    this.code = code
  }
}

export function hasToken() {
  return sessionStorage.getItem(tokenKey) !== null
}

/** @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(tokenKey, token)
}

export function forgetToken() {
  sessionStorage.removeItem(tokenKey)
}

/**
 * @param {string} path relative to the page
 * @returns {Promise<any>}
 * @throws TokenNeeded, RequestFailed, or what fetch throws when nothing answers
 */
export async function getJson(path) {
  const token = sessionStorage.getItem(tokenKey)
  const response = await fetch(path, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    cache: 'no-store',
    signal: AbortSignal.timeout(10_000),
  })
  const body = await response.json().catch(() => null)
  if (response.status === 401) throw new TokenNeeded(body?.message ?? 'the worker wants a token')
  if (!response.ok)
    throw new RequestFailed(
      response.status,
      body?.code ?? '',
      body?.message ?? `answered with ${response.status}`,
    )
  return body
}
