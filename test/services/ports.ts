import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/** Below Linux's range for outgoing connections (32768 and up), so that none takes a port while its server is down between a kill and a restart. */
const FIRST_PORT = 20_000
const BLOCK_PORTS = 100
const BLOCKS = 120

/** This process's own ports: those after the first of a block, which it listens at for as long as it lives. */
let own: number[] = []

/**
 * Ports of 127.0.0.1 that are free and stay so: a process hands out ports of blocks that are its own, each once, so that no other test
 * process takes one before its server listens there.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    if (own.length === 0) own = await takeBlock()
    const port = own.shift()!
    const server = await listen(port)
    if (server === null) continue
    await close(server)
    ports.push(port)
  }
  return ports
}

async function takeBlock(): Promise<number[]> {
  for (;;) {
    const first = FIRST_PORT + BLOCK_PORTS * randomInt(BLOCKS)
    const holder = await listen(first)
    if (holder === null) continue
    holder.unref()
    return Array.from({ length: BLOCK_PORTS - 1 }, (_, index) => first + 1 + index)
  }
}

/** null: somebody listens there. */
function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
