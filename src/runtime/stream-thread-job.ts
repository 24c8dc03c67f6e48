/** What a worker of the pool runs: one stream thread, from its start to its end. */
import { flushCompileCache } from 'node:module'
import type { MessagePort } from 'node:worker_threads'

import { openTelemetryTracer } from '../observe/open-telemetry.ts'
import { loadTopology } from '../topology/load-topology.ts'
import { Channel, serializeError } from './channel.ts'
import type { MainRequests, StreamThreadJob, TaskId, ThreadNotice, ThreadRequests } from './protocol.ts'
import { boundTopology, schemaRequests } from './schemas/bound-topology.ts'
import { StreamThread } from './stream-thread.ts'
import type { StreamThreadHost } from './stream-thread-host.ts'
import type { Task } from './task.ts'

export default async function runStreamThread(data: StreamThreadJob & { port: MessagePort }): Promise<void> {
  const { port, ...job } = data
  const notify = (notice: ThreadNotice): void => channel.notify(notice)
  const started = Promise.withResolvers<StreamThread>()
  // A request that comes before the topology is loaded waits for it; its failure is told by the job itself.
  started.promise.catch(() => {})
  const channel = new Channel<MainRequests, ThreadRequests, never>(port, {
    loaded: async () => {
      await started.promise
    },
    assign: async ({ tasks }) => (await started.promise).assign(tasks),
    topics: async ({ topics }) => (await started.promise).learnTopics(topics),
    suspend: async ({ tasks, lost }) => (await started.promise).suspend(tasks, lost),
    release: async ({ tasks }) => (await started.promise).release(tasks),
    pause: async ({ isPaused }) => (await started.promise).pause(isPaused),
    stop: async () => (await started.promise).stop(),
    query: async (query) => (await started.promise).query(query),
    metrics: async () => (await started.promise).metrics.collect(),
    status: async () => (await started.promise).status(),
  })
  try {
    const { topology, schemas } = boundTopology(
      await loadTopology(job.moduleUrl, job.config.topologyOptimization),
      job,
      schemaRequests(channel),
    )
    const { config } = job
    const tracer = config.tracing === 'none' ? null : await openTelemetryTracer(config.applicationId)
    const host: StreamThreadHost = {
      commitOffsets: (tasks, offsets) => channel.request('commit', { tasks: epochsOf(tasks), offsets }),
      beginCommit: (tasks, offsets) => channel.request('begin-commit', { tasks: epochsOf(tasks), offsets }),
      endCommit: (lease, isCommitted) => channel.request('end-commit', { lease, isCommitted }),
      startOver: (tasks, failures) => notify({ type: 'start-over', tasks: epochsOf(tasks), failures }),
      confirm: (tasks) => channel.request('confirm', { tasks: epochsOf(tasks) }),
      taskState: (task) => {
        if (task.taskState === 'restoring') schemas?.refresh()
        notify({ type: 'task-state', task: task.id, state: task.taskState })
      },
      cassandraAway: (reason) => notify({ type: 'cassandra', reason }),
      restoreEvent: (event) => notify({ type: 'restore', event }),
      log: (level, message, fields) => notify({ type: 'log', level, message, fields }),
    }
    const thread = new StreamThread(job, topology, host, tracer)
    started.resolve(thread)
    // Where Node keeps compiled code (NODE_COMPILE_CACHE), a process that is killed leaves it for the next start, too.
    flushCompileCache()
    await thread.run()
  } catch (error) {
    started.reject(error)
    notify({ type: 'failed', error: serializeError(error) })
    throw error
  } finally {
    channel.close()
  }
}

function epochsOf(tasks: readonly Task[]): { id: TaskId; epoch: number }[] {
  return tasks.map(({ id, assignment }) => ({ id, epoch: assignment.epoch }))
}
