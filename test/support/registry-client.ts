/** A schema registry and bytes of its wire format, for verifiers: shares no code with Weir. */
import avsc from 'avsc'

async function ask(url: string, path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(`${response.status}: ${String(answer.message)}`)
  return answer
}

export async function register(url: string, subject: string, schema: object | string): Promise<number> {
  return await registerText(url, subject, JSON.stringify(schema))
}

export async function registerText(url: string, subject: string, schema: string): Promise<number> {
  const { id } = await ask(url, `/subjects/${subject}/versions`, { schema })
  return id as number
}

/** Of one subject, or of all. */
export async function setCompatibility(url: string, compatibility: string, subject = ''): Promise<void> {
  await ask(url, `/config${subject === '' ? '' : `/${subject}`}`, { compatibility }, 'PUT')
}

export async function schemaOf(url: string, id: number): Promise<object> {
  const { schema } = await ask(url, `/schemas/ids/${id}`)
  return JSON.parse(schema as string) as object
}

/** 0x00, the id, the value. */
export function encode(id: number, schema: object | string, value: unknown): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, avsc.Type.forSchema(schema as never).toBuffer(value)])
}

/** @returns the value, and the id that it was written with */
export async function decode(url: string, bytes: Buffer): Promise<{ id: number; value: unknown }> {
  if (bytes[0] !== 0) throw new Error(`the first byte is ${bytes[0]}`)
  const id = bytes.readInt32BE(1)
  const type = avsc.Type.forSchema((await schemaOf(url, id)) as never)
  return { id, value: JSON.parse(JSON.stringify(type.fromBuffer(bytes.subarray(5)))) }
}
