/**
 * A process of lifecycle.test.ts: starts and ends workers, then has to end by itself.
 *
 *   process.ts <folder> <ending> <how many> [parallel]
 */
import { once } from 'node:events'
import path from 'node:path'
import { Worker } from 'node:worker_threads'

import type { Ending, LifecycleData } from './worker.ts'

const [folder, ending, countText, parallelText] = process.argv.slice(2) as [string, Ending, string, string?]
const count = Number(countText)
const parallel = Number(parallelText ?? 1)

const broker = new Worker(new URL('broker.ts', import.meta.url))
const [bootstrapServers] = (await once(broker, 'message')) as [string]

async function runOne(slot: number): Promise<void> {
  // The same folder again and again: whoever had it must have let go of it.
  const data: LifecycleData = { path: path.join(folder, `db-${slot}`), bootstrapServers, ending }
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: data })
  const errors: Error[] = []
  worker.on('error', (error: Error) => errors.push(error))
  // Not `once`, which rejects at an error already: the worker still has to close then.
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  if (ending === 'busy') {
    // At any moment: while the addon is loaded, while the database opens, in the middle of calls.
    if (Math.random() < 0.7) await Promise.race([once(worker, 'message').catch(() => {}), exited])
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
    await worker.terminate()
  }
  await exited
  const wanted =
    ending === 'throw' ? errors.length === 1 && errors[0]!.message === 'as told' : errors.length === 0
  if (!wanted) throw errors[0] ?? new Error('the worker did not throw')
}

async function runSlot(slot: number, workers: number): Promise<void> {
  for (let index = 0; index < workers; index++) await runOne(slot)
}

const warmUp = Math.ceil(count / 4)
await Promise.all(Array.from({ length: parallel }, (_, slot) => runSlot(slot, Math.ceil(warmUp / parallel))))
const rssBefore = process.memoryUsage.rss()
await Promise.all(
  Array.from({ length: parallel }, (_, slot) => runSlot(slot, Math.ceil((count - warmUp) / parallel))),
)
const grownBytes = process.memoryUsage.rss() - rssBefore

broker.postMessage('close')
await once(broker, 'exit')
console.log(JSON.stringify({ grownMiB: Math.round(grownBytes / 2 ** 20) }))
