import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { configFrom } from '../../../src/config/load.ts'
import { type Restorer, StateMemory } from '../../../src/native.ts'
import { ThreadCounters } from '../../../src/observe/thread-counters.ts'
import type { LocalTiers } from '../../../src/runtime/local-tiers.ts'
import { OwnChangelogs } from '../../../src/runtime/own-changelogs.ts'
import { StateRestore } from '../../../src/runtime/state-restore.ts'
import { StoreLayouts } from '../../../src/runtime/store-layouts.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'
import { Topology } from '../../../src/topology/topology.ts'

import { openTier } from '../../support/opened-tier.ts'
import { smallStateMemory } from '../../support/state-memory.ts'

test('a restore that is stopped while it empties a store lets it be discarded afterwards, and replays nothing', async () => {
  await using resources = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-restore-'))
  resources.defer(() => rm(folder, { recursive: true }))
  const memory = StateMemory.acquire(smallStateMemory)
  resources.defer(() => memory.close())
  const topology = new Topology()
    .addSource('in', { topics: 'in', key: serdes.string, value: serdes.string })
    .addProcessor('each', () => ({ process() {} }), { parents: 'in' })
    .addStateStore(
      stores.tieredKeyValue({ name: 'counts', key: serdes.string, value: serdes.string }),
      'each',
    )
  const [definition] = topology.build().subtopologies
  const { tiers, database, close } = await openTier(definition!.stores[0]!, path.join(folder, 'db'), memory)
  resources.defer(close)
  const config = configFrom({ applicationId: 'test', bootstrapServers: 'none:1', stateDir: folder })
  let replays = 0
  const restorer: Restorer = {
    restore: () => {
      replays++
      return { done: Promise.resolve(), progress: () => [], stop: () => {} }
    },
    close: () => {},
  }
  const emptying = Promise.withResolvers<void>()
  const emptied = Promise.withResolvers<void>()
  const watched = {
    prepareRestore: async (...args) => {
      emptying.resolve()
      const prepared = await tiers.prepareRestore(...args)
      await emptied.promise
      return prepared
    },
  } satisfies Pick<LocalTiers, 'prepareRestore'> as LocalTiers
  const restore = new StateRestore(
    definition!,
    0,
    database,
    watched,
    await StoreLayouts.read(folder),
    [],
    new OwnChangelogs(definition!, config, {}, []),
    {
      config,
      restorer,
      topics: {},
      counters: new ThreadCounters(),
      warn: () => {},
      restoreEvent: () => {},
    },
  )
  const run = restore.run()
  const ended = assert.rejects(run, { code: 'closed' })
  await emptying.promise
  let isStopped = false
  const stopped = restore.stop().then(() => {
    isStopped = true
  })
  await nextTurn()
  assert.equal(isStopped, false)
  emptied.resolve()
  await stopped
  database.discard()
  await ended
  assert.equal(replays, 0)
})
