/** A thread that asks for schemas as its script says: how, and which ids. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'

import { Channel } from '../../src/runtime/channel.ts'
import type { SchemaRequests } from '../../src/runtime/protocol.ts'
import { schemaRequests } from '../../src/runtime/schemas/bound-topology.ts'
import { ThreadSchemas } from '../../src/runtime/schemas/thread-schemas.ts'

const { port, script, answers } = workerData
const channel = new Channel<SchemaRequests, never, never>(port, {} as never)
const schemas = new ThreadSchemas(answers, schemaRequests(channel), 300)
const [how, ...rest] = (script as string).split(' ')
const ids = rest.map(Number)
const text = (id: number) => schemas.schema(id)?.schema

async function run(): Promise<unknown> {
  switch (how) {
    case 'now':
      return ids.map((id) => schemas.fetchNow(id)?.schema ?? null)
    case 'await': {
      const before = text(ids[0]!)
      await Promise.all([schemas.awaits(ids[0]!), schemas.awaits(ids[0]!)])
      return [before, text(ids[0]!)]
    }
    default: {
      const before = text(ids[0]!)
      schemas.refresh()
      while (text(ids[0]!) === undefined) await sleep(5)
      return [before, text(ids[0]!)]
    }
  }
}

parentPort!.postMessage(
  await run().catch((error: Error & { code?: string }) => `${error.code}: ${error.message}`),
)
