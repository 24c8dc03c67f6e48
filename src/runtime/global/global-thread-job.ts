/** What the global thread's worker runs, from its start to its end. */
import { type MessagePort, workerData } from 'node:worker_threads'

import { loadTopology } from '../../topology/load-topology.ts'
import { Channel, serializeError } from '../channel.ts'
import type { SchemaRequests } from '../protocol.ts'
import { boundTopology, schemaRequests } from '../schemas/bound-topology.ts'
import { GlobalStreamThread } from './global-stream-thread.ts'
import type { GlobalThreadJob, GlobalThreadNotice, GlobalThreadRequests } from './protocol.ts'

const { port, ...job } = workerData as GlobalThreadJob & { port: MessagePort }
const notify = (notice: GlobalThreadNotice): void => channel.notify(notice)
const started = Promise.withResolvers<GlobalStreamThread>()
started.promise.catch(() => {})
const channel = new Channel<SchemaRequests, GlobalThreadRequests, never>(port, {
  stop: async () => (await started.promise).stop(),
  metrics: async () => (await started.promise).metrics.collect(),
})
try {
  const { topology } = boundTopology(
    await loadTopology(job.moduleUrl, job.config.topologyOptimization),
    job,
    schemaRequests(channel),
  )
  const thread = new GlobalStreamThread(job, topology, {
    ready: (databaseId, records) => notify({ type: 'ready', databaseId, records }),
    log: (level, message, fields) => notify({ type: 'log', level, message, fields }),
  })
  started.resolve(thread)
  await thread.run()
} catch (error) {
  started.reject(error)
  notify({ type: 'failed', error: serializeError(error) })
} finally {
  channel.close()
}
