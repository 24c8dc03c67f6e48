/** Where a process can be reached by others of its application, and how they learn of it. */

/** `host:port`. */
export const applicationServerPattern = /^(\[[0-9A-Fa-f:.]+\]|[^\s,:[\]/@?#]+):\d{1,5}$/

/** What stands between a consumer's own name and the server of its process. */
const SEPARATOR = '@'

/** A consumer's client.id: the group tells it to everyone who asks, under each of its protocols. */
export function clientIdWith(clientId: string, applicationServer: string | null): string {
  return applicationServer === null ? clientId : `${clientId}${SEPARATOR}${applicationServer}`
}

/** @returns null: the process says none */
export function applicationServerOf(clientId: string): string | null {
  const at = clientId.lastIndexOf(SEPARATOR)
  const server = clientId.slice(at + 1)
  return at >= 0 && applicationServerPattern.test(server) ? server : null
}
