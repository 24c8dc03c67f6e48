import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { cachedDataVersionTag } from 'node:v8'

import { adminConfig } from '../../../src/config/clients.ts'
import { configFrom } from '../../../src/config/load.ts'
import { Admin, MockCluster } from '../../../src/native.ts'
import { createLogger } from '../../../src/observe/logger.ts'
import { startApplication } from '../../../src/runtime/start-application.ts'
import { mockTopicAdmin } from '../../../src/runtime/topic-admin.ts'

/** Each stream thread that loads it leaves a file with what V8 asks of compiled code then. */
const topology = `
import { writeFileSync } from 'node:fs'
import { cachedDataVersionTag } from 'node:v8'
import { isMainThread, threadId } from 'node:worker_threads'
if (!isMainThread) writeFileSync(new URL('./thread-' + threadId, import.meta.url), String(cachedDataVersionTag()))
export { default } from ${JSON.stringify(new URL('../../support/topologies/count.ts', import.meta.url).href)}
`

test('threads load their code under the flags that it was compiled with; then heaps may grow', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-threads-'))
  const cluster = new MockCluster({ brokers: 1 })
  const before = cachedDataVersionTag()
  try {
    for (const topic of ['input', 'counts']) cluster.createTopic(topic, 2)
    const file = join(folder, 'topology.ts')
    writeFileSync(file, topology)
    const config = configFrom({
      applicationId: 'loaded',
      bootstrapServers: cluster.bootstrapServers,
      stateDir: join(folder, 'state'),
      numStreamThreads: 2,
      memoryBytes: 512 * 2 ** 20,
      logLevel: 'error',
      logFormat: 'json',
    })
    const application = await startApplication({
      topology: pathToFileURL(file),
      config,
      logger: createLogger(config),
      topicAdmin: mockTopicAdmin(new Admin(adminConfig(config)), (name, count) =>
        cluster.createTopic(name, count),
      ),
    })
    while (!application.ready().ok) await sleep(20)
    const threads = readdirSync(folder).filter((name) => name.startsWith('thread-'))
    assert.deepEqual(
      threads.map((name) => Number(readFileSync(join(folder, name), 'utf8'))),
      [before, before],
    )
    assert.notEqual(cachedDataVersionTag(), before)
    await application.close()
  } finally {
    cluster.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
