/** A process of consumer.test.ts: worker threads that read through this thread's consumer. Prints what was found as JSON. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { Consumer, type ConsumerEvent, MockCluster, Producer } from '../../../../src/native.ts'
import { numbered, produceAll } from '../records.ts'
import type { ReaderData } from './reader.ts'

const scenario = process.argv[2]!
const cluster = new MockCluster({ brokers: 1 })
// What nobody refers to any more is collected, the brokers before their last answer: they stay to the end.
process.once('exit', () => void cluster)
cluster.createTopic('in', 2)
const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '0' })
const topic = producer.topic('in', 2)
const config = {
  'bootstrap.servers': cluster.bootstrapServers,
  'group.id': 'group',
  'fetch.wait.max.ms': '10',
  'heartbeat.interval.ms': '100',
}
const events: ConsumerEvent[] = []
let onEvent = () => {}
const consumer = new Consumer(config, (event) => {
  events.push(event)
  onEvent()
})

function startReader(data: Omit<ReaderData, 'consumerId'>): Worker {
  return new Worker(new URL('reader.ts', import.meta.url), {
    workerData: { ...data, consumerId: consumer.id },
  })
}

/** One reader after the other continues at the offset after the last that was told. */
async function readInTurns(
  readers: number,
  records: number,
  stop: (worker: Worker, told: number) => Promise<boolean>,
): Promise<{ workers: number; read: number; wrong: number[] }> {
  consumer.assign([{ topic: 'in', partition: 0, offset: 0 }])
  // Records come while they are read, so that readers have to wait for them.
  const producing = (async () => {
    for (let from = 0; from < records; from += 50) await produceAll(producer, topic, 0, numbered(50, from))
  })()
  const wrong: number[] = []
  let next = 0
  let workers = 0
  while (next < records || workers < readers) {
    workers++
    const worker = startReader({ partition: 0, offset: next, readMax: Math.ceil(records / readers) })
    let told = 0
    worker.on('message', (offsets: number[]) => {
      for (const offset of offsets) {
        if (offset !== next) wrong.push(offset)
        next = offset + 1
        told++
      }
    })
    const exited = once(worker, 'exit')
    while (!(await stop(worker, told))) {
      // Fewer records than it wants were left to this one: it would wait for ever.
      if (next >= records && told > 0) await worker.terminate()
      if (
        await Promise.race([
          exited.then(() => true),
          new Promise<false>((resolve) => setTimeout(resolve, 1, false)),
        ])
      )
        break
    }
    await exited
  }
  await producing
  return { workers, read: next, wrong }
}

let result: unknown
switch (scenario) {
  case 'hand-over':
    result = await readInTurns(40, 4000, async () => false)
    break
  case 'terminate': {
    result = await readInTurns(30, 3000, async (worker, told) => {
      if (told < 20 || Math.random() < 0.5) return false
      await worker.terminate()
      return true
    })
    // How many it takes depends on when each was ended.
    ;(result as { workers: number }).workers = Math.min((result as { workers: number }).workers, 30)
    break
  }
  case 'leave-open':
  case 'exit': {
    consumer.subscribe(['in'])
    const alive = setInterval(() => {}, 60_000)
    while (!events.some(({ type }) => type === 'assign'))
      await new Promise<void>((resolve) => (onEvent = resolve))
    clearInterval(alive)
    consumer.assign([0, 1].map((partition) => ({ topic: 'in', partition, offset: 0 })))
    await produceAll(producer, topic, 0, numbered(100))
    const worker = startReader({ partition: 0, offset: 0, readMax: Number.MAX_SAFE_INTEGER })
    await once(worker, 'message')
    void consumer.committed([{ topic: 'in', partition: 0 }], 30_000)
    if (scenario === 'exit') {
      console.log(JSON.stringify({ left: 'by exit' }))
      process.exit(0)
    }
    await worker.terminate()
    result = { left: 'open' }
    break
  }
  default:
    throw new Error(`no scenario ${scenario}`)
}
if (scenario !== 'leave-open') {
  consumer.unassign([{ topic: 'in', partition: 0 }])
  await consumer.close()
  await producer.close()
  cluster.close()
}
console.log(JSON.stringify(result))
