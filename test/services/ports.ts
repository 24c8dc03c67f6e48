import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Ports of 127.0.0.1 that were free a moment ago. They lie below Linux's range for outgoing connections (32768 and up), so that none
 * takes one while its server is down between a kill and a restart.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(20_000, 32_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
