import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defineTopology, type Processor, type ProcessorContext, serdes, stores } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string, value: serdes.string }

class Asking implements Processor<string, string, string, string> {
  init(context: ProcessorContext<string, string>): void {
    context.stateStore('wanted')
  }

  process(): void {}
}

test('a store that is not connected: one line with the processor, its stores, and what to do', async () => {
  const topology = defineTopology((builder) => {
    for (const name of ['wanted', 'other']) builder.addStateStore(stores.keyValue({ name, ...text }))
    const stream = builder.stream('in', text)
    stream.process(() => new Asking(), { name: 'asking', stores: ['other'] })
    stream.process(() => ({ process: () => {} }), { name: 'owner', stores: ['wanted'] })
  })
  await assert.rejects(TopologyTestDriver.open(topology), (error: Error) => {
    assert.match(
      error.message,
      /processor asking has no store wanted; connected to it: other\. Name the store among the processor's stores$/,
    )
    assert.doesNotMatch(error.message, /\n/)
    return true
  })
})
