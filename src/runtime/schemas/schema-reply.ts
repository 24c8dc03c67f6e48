import type { RegisteredSchema } from '../../serde/schema-source.ts'

/** Int32: whether the answer is there, and its bytes. */
const HEADER_BYTES = 8
/** Of memory that is set aside and not used until it is written. */
const BYTES_MAX = 64 * 2 ** 20

/**
 * Memory that the main thread puts a schema into while another thread stands still: a message would not reach it.
 *
 *   isThere(4) length(4) JSON
 */
export const SchemaReply = {
  make(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_BYTES, { maxByteLength: BYTES_MAX })
  },

  /** Puts the answer there, or why there is none, and wakes the thread. */
  write(reply: SharedArrayBuffer, answer: RegisteredSchema | string | null): void {
    let bytes = Buffer.from(JSON.stringify(answer))
    if (HEADER_BYTES + bytes.length > BYTES_MAX)
      bytes = Buffer.from(JSON.stringify(`a schema of ${bytes.length} bytes is too large`))
    reply.grow(HEADER_BYTES + bytes.length)
    new Uint8Array(reply, HEADER_BYTES).set(bytes)
    const header = new Int32Array(reply, 0, 2)
    header[1] = bytes.length
    Atomics.store(header, 0, 1)
    Atomics.notify(header, 0)
  },
}

/** Blocks until the answer is there. @returns undefined when it is not in time; a text says why there is none */
export function readReply(
  reply: SharedArrayBuffer,
  timeoutMs: number,
): RegisteredSchema | string | null | undefined {
  const header = new Int32Array(reply, 0, 2)
  if (Atomics.wait(header, 0, 0, timeoutMs) === 'timed-out') return undefined
  const bytes = Buffer.from(new Uint8Array(reply, HEADER_BYTES, header[1]))
  return JSON.parse(bytes.toString()) as RegisteredSchema | string | null
}
