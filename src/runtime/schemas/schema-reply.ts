import type { RegisteredSchema } from '../../serde/schema-source.ts'

/** Int32: whether the answer is there, and its bytes. */
const HEADER_BYTES = 8
/** Of memory that is set aside and not used until it is written. */
const BYTES_MAX = 64 * 2 ** 20

/** A schema, null when the registry has none, or why that is not known. */
export type SchemaAnswer =
  | { readonly schema: RegisteredSchema | null }
  | { readonly failure: { readonly code: RegistryFault; readonly message: string } }

type RegistryFault = 'schema-registry-unreachable' | 'schema-registry-refused'

/**
 * Memory that the main thread puts a schema into while another thread stands still: a message would not reach it. May be used again when an answer was
 * read.
 *
 *   isThere(4) length(4) JSON
 */
export const SchemaReply = {
  make(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_BYTES, { maxByteLength: BYTES_MAX })
  },

  /** Puts the answer there, and wakes the thread. */
  write(reply: SharedArrayBuffer, answer: SchemaAnswer): void {
    let bytes = Buffer.from(JSON.stringify(answer))
    if (HEADER_BYTES + bytes.length > BYTES_MAX) {
      const message = `a schema of ${bytes.length} bytes is too large`
      bytes = Buffer.from(JSON.stringify({ failure: { code: 'schema-registry-unreachable', message } }))
    }
    if (reply.byteLength < HEADER_BYTES + bytes.length) reply.grow(HEADER_BYTES + bytes.length)
    new Uint8Array(reply, HEADER_BYTES).set(bytes)
    const header = new Int32Array(reply, 0, 2)
    header[1] = bytes.length
    Atomics.store(header, 0, 1)
    Atomics.notify(header, 0)
  },
}

/** Blocks until the answer is there. @returns undefined when it is not in time: then the memory is not to be used again */
export function readReply(reply: SharedArrayBuffer, timeoutMs: number): SchemaAnswer | undefined {
  const header = new Int32Array(reply, 0, 2)
  if (Atomics.wait(header, 0, 0, timeoutMs) === 'timed-out') return undefined
  const bytes = Buffer.from(new Uint8Array(reply, HEADER_BYTES, header[1]))
  Atomics.store(header, 0, 0)
  return JSON.parse(bytes.toString()) as SchemaAnswer
}
