/** A worker that holds the mock cluster, so that the main thread need not load the addon. */
import { parentPort } from 'node:worker_threads'

import { MockCluster } from '../../../../src/native.ts'

const cluster = new MockCluster({ brokers: 1 })
cluster.createTopic('changelog', 1)
parentPort?.postMessage(cluster.bootstrapServers)
parentPort?.once('message', () => {
  cluster.close()
  parentPort?.close()
})
