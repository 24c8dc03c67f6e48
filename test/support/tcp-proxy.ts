import { createServer, connect as openSocket, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What a link does with its connections.
 *
 * - `open`: passes everything on
 * - `cut`: has none, and takes none
 * - `stalled`: keeps them and passes nothing on, either way
 * - `deaf`: passes on what clients say, and holds the answers back
 * - a number: passes everything on so many milliseconds later
 * - late requests: passes requests of that kind on so many milliseconds later, with what follows them on their connection, and the rest at once
 */
export type LinkMode = 'open' | 'cut' | 'stalled' | 'deaf' | number | LateRequests

/** Requests of Kafka's protocol with this api key. */
export interface LateRequests {
  readonly apiKey: number
  readonly latencyMs: number
}

/** Bytes that a connection holds back before it reads no more from its sender. */
const HELD_BYTES_MAX = 1024 * 1024

/** A TCP proxy on 127.0.0.1 between clients and one server, whose mode can be changed at any time. */
export class TcpLink implements AsyncDisposable {
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  #mode: LinkMode = 'open'

  private constructor(server: Server) {
    this.#server = server
  }

  /** @param from where clients come @param to where the server listens */
  static async listen(from: number, to: number): Promise<TcpLink> {
    const server = createServer({ noDelay: true })
    const link = new TcpLink(server)
    server.on('connection', (client) => link.#connected(client, to))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(from, '127.0.0.1', resolve)
    })
    return link
  }

  get mode(): LinkMode {
    return this.#mode
  }

  set mode(mode: LinkMode) {
    this.#mode = mode
    if (mode === 'cut') this.cutAll()
    else for (const connection of this.#connections) connection.modeChanged()
  }

  /** Ends the connections that there are. New ones are taken as the mode says. */
  cutAll(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #connected(client: Socket, to: number): void {
    if (this.#mode === 'cut') {
      client.destroy()
      return
    }
    const server = openSocket({ host: '127.0.0.1', port: to, noDelay: true })
    const connection = new Connection(client, server, () => this.#mode)
    this.#connections.add(connection)
    for (const socket of [client, server]) {
      socket.on('error', () => connection.destroy())
      socket.on('close', () => {
        connection.destroy()
        this.#connections.delete(connection)
      })
    }
  }
}

class Connection {
  readonly #client: Socket
  readonly #server: Socket
  readonly #ways: readonly Way[]

  constructor(client: Socket, server: Socket, mode: () => LinkMode) {
    this.#client = client
    this.#server = server
    this.#ways = [
      new Way(client, server, () => (mode() === 'deaf' ? 'open' : mode())),
      new Way(server, client, () => (mode() === 'deaf' ? 'stalled' : mode())),
    ]
  }

  modeChanged(): void {
    for (const way of this.#ways) way.wake()
  }

  destroy(): void {
    // Not resetAndDestroy: of a socket that is being shut down it leaves the handle open (Node 24), and its peer waiting.
    this.#client.destroy()
    this.#server.destroy()
    this.modeChanged()
  }
}

/** One direction of a connection: what comes is passed on in order, when the mode lets it. */
class Way {
  readonly #from: Socket
  readonly #to: Socket
  readonly #mode: () => LinkMode
  readonly #held: { readonly bytes: Buffer; readonly sinceMs: number }[] = []
  #heldBytes = 0
  #isPassing = false
  #wake: () => void = () => {}

  constructor(from: Socket, to: Socket, mode: () => LinkMode) {
    this.#from = from
    this.#to = to
    this.#mode = mode
    from.on('data', (bytes: Buffer) => {
      this.#held.push({ bytes, sinceMs: Date.now() })
      this.#heldBytes += bytes.length
      if (this.#heldBytes > HELD_BYTES_MAX) from.pause()
      if (!this.#isPassing) void this.#pass()
    })
  }

  wake(): void {
    this.#wake()
  }

  async #pass(): Promise<void> {
    this.#isPassing = true
    for (let next = this.#held[0]; next !== undefined && !this.#to.destroyed; next = this.#held[0]) {
      const mode = this.#mode()
      if (mode === 'stalled') {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      const waitMs = next.sinceMs + latencyMs(mode, next.bytes) - Date.now()
      if (waitMs > 0) await sleep(waitMs)
      this.#held.shift()
      this.#heldBytes -= next.bytes.length
      if (this.#heldBytes <= HELD_BYTES_MAX && !this.#from.destroyed) this.#from.resume()
      if (this.#to.destroyed) break
      if (!this.#to.write(next.bytes))
        await new Promise<void>((resolve) => {
          this.#wake = resolve
          this.#to.once('drain', resolve)
        })
    }
    this.#isPassing = false
  }
}

function latencyMs(mode: LinkMode, bytes: Buffer): number {
  if (typeof mode === 'number') return mode
  return typeof mode === 'object' && isRequest(bytes, mode.apiKey) ? mode.latencyMs : 0
}

/** Small requests come in one piece: length (4 bytes, itself excluded), api key (2), ... */
function isRequest(bytes: Buffer, apiKey: number): boolean {
  return bytes.length >= 6 && bytes.readInt32BE(0) + 4 === bytes.length && bytes.readInt16BE(4) === apiKey
}
