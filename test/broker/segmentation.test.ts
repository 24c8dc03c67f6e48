import { test } from 'node:test'

import { startKafka } from '../services/kafka.ts'
import { startRegistry } from '../services/registry.ts'
import { Random } from '../support/seed.ts'
import { SegmentationApplication } from '../support/segmentation-application.ts'

test('examples/segmentation says who enters and leaves as a plain computation does', async (t) => {
  await using kafka = await startKafka()
  await using registry = await startRegistry()
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  const application = await SegmentationApplication.make({
    module: 'examples/segmentation/topology.ts',
    applicationId: 'segmentation',
    bootstrapServers: kafka.bootstrapServers,
    registryUrl: registry.url,
  })
  await application.give(20_000, 40, random)
  await application.giveLast()
  {
    // Stopped on the way and started again: nothing is forgotten over a restart.
    await using first = await application.start('one')
    await first.until(async () => (await first.recordsProcessed()) > 3_000, 'has not processed 3,000 records')
    await first.stop()
  }
  await using second = await application.start('one')
  await application.consumed(second)
  await second.stop()
  t.diagnostic(await application.assertChanges(`seed ${random.seed}`))
})
