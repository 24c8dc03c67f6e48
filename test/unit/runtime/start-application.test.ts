import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { adminConfig } from '../../../src/config/clients.ts'
import { configFrom } from '../../../src/config/load.ts'
import { Admin, MockCluster } from '../../../src/native.ts'
import { createLogger } from '../../../src/observe/logger.ts'
import { startApplication } from '../../../src/runtime/start-application.ts'
import { mockTopicAdmin, type TopicAdmin } from '../../../src/runtime/topic-admin.ts'

/** The administrator, who is told when the answer to each of its requests has come. */
function watched(admin: TopicAdmin, onAnswer: () => void): TopicAdmin {
  return new Proxy(admin, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]) => {
        const answer: unknown = await method.apply(target, args)
        if (name !== 'close') onAnswer()
        return answer
      }
    },
  })
}

test('a start that is stopped ends, whichever of its requests had just been answered', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-start-'))
  const cluster = new MockCluster({ brokers: 1 })
  try {
    for (const topic of ['input', 'counts']) cluster.createTopic(topic, 2)
    const config = configFrom({
      applicationId: 'started',
      bootstrapServers: cluster.bootstrapServers,
      stateDir: folder,
      numStreamThreads: 1,
      memoryBytes: 512 * 2 ** 20,
      logLevel: 'error',
      logFormat: 'json',
    })
    let stopped = 0
    for (let hasStarted = false; !hasStarted; ) {
      const stop = new AbortController()
      const reason = new Error('stopped')
      let answers = 0
      let hasEnded = true
      const admin = mockTopicAdmin(new Admin(adminConfig(config)), (name, count) =>
        cluster.createTopic(name, count),
      )
      const starting = startApplication({
        topology: new URL('../../support/topologies/count.ts', import.meta.url),
        config,
        logger: createLogger(config),
        topicAdmin: watched(admin, () => {
          if (answers++ === stopped) stop.abort(reason)
        }),
        signal: stop.signal,
      })
      try {
        const application = await starting
        const wasStopped = stop.signal.aborted
        if (wasStopped)
          hasEnded = await Promise.race([application.closed.then(() => true), sleep(10_000, false)])
        await application.close()
        hasStarted = !wasStopped
        stopped++
      } catch (error) {
        assert.equal(error, reason)
        stopped++
      }
      assert.ok(hasEnded, `it went on after answer ${stopped}`)
    }
    assert.ok(stopped >= 2, `${stopped}`)
  } finally {
    cluster.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
