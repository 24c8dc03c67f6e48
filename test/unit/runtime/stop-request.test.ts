import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  processorMetadataOf,
} from '../../../src/commit/offset-metadata.ts'
import type { WeirError } from '../../../src/errors/weir-error.ts'
import type { TopicPartitionOffset } from '../../../src/native.ts'
import { StopRequests, stopRequestIn, withStopRequest } from '../../../src/runtime/stop-request.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

function offset(partition: number, metadata = ''): TopicPartitionOffset {
  return { topic: 'input', partition, offset: 7, metadata }
}

/** A group, and processes of its application. */
class Group {
  offsets: TopicPartitionOffset[] = [0, 1, 2].map((partition) => offset(partition))
  looks = 0

  process(): { requests: StopRequests; failures: WeirError[] } {
    const failures: WeirError[] = []
    const requests = new StopRequests({
      applicationId: 'app',
      admin: {
        groupOffsets: async () => {
          this.looks++
          return this.offsets
        },
      },
      membership: {
        startOffsets: async (partitions) =>
          partitions.map(({ partition }) => this.offsets.find((one) => one.partition === partition)!),
        commit: async (committed, isCurrent, alsoUnmoved) => {
          assert.ok(isCurrent() && alsoUnmoved)
          const others = this.offsets.filter(
            (one) => !committed.some((new_) => new_.partition === one.partition),
          )
          this.offsets = [...others, ...committed]
        },
      },
      logger,
      onFailed: (error) => failures.push(error),
    })
    return { requests, failures }
  }

  async look(requests: StopRequests): Promise<void> {
    const { looks } = this
    requests.lookSoon()
    for (let waits = 0; this.looks === looks && waits < 1_000; waits++) await sleep(1)
    await sleep(5)
  }
}

describe('a stop request', () => {
  test('goes with an offset, beside what is there already', () => {
    const before = offset(0, encodeOffsetMetadata(123, new Map([['emitted', 5]])))
    const after = withStopRequest(before, 1_000)
    assert.deepEqual([after.offset, decodeOffsetMetadata(after.metadata)], [7, 123])
    assert.equal(processorMetadataOf([after.metadata]).get('emitted'), 5)
    assert.equal(stopRequestIn([before]), 0)
    assert.equal(stopRequestIn([offset(1), after, withStopRequest(before, 900)]), 1_000)
    // What a task found with its inputs' offsets goes on with its commits.
    const carried = encodeOffsetMetadata(200, processorMetadataOf([after.metadata]))
    assert.equal(stopRequestIn([offset(0, carried)]), 1_000)
  })
})

describe('StopRequests', () => {
  test('every process that runs is told, those that start later are not', async () => {
    const group = new Group()
    const [first, second] = [group.process(), group.process()]
    await group.look(first.requests)
    await group.look(second.requests)
    await first.requests.ask([{ topic: 'input', partition: 1 }], () => true)
    assert.equal(group.offsets.filter((one) => stopRequestIn([one]) > 0).length, 1)

    const later = group.process()
    await group.look(later.requests)
    await group.look(later.requests)
    await group.look(second.requests)
    assert.deepEqual([first.failures, later.failures], [[], []])
    assert.deepEqual(
      second.failures.map(({ code }) => code),
      ['stop-requested'],
    )

    // The next request is newer than any, whatever the clocks say.
    group.offsets = group.offsets.map((one) => withStopRequest(one, 2 ** 45))
    const [fourth, fifth] = [group.process(), group.process()]
    await group.look(fourth.requests)
    await group.look(fifth.requests)
    await fourth.requests.ask([{ topic: 'input', partition: 0 }], () => true)
    await group.look(fifth.requests)
    assert.deepEqual(
      fifth.failures.map(({ code }) => code),
      ['stop-requested'],
    )
  })

  test('a process without partitions can tell nobody', async () => {
    const group = new Group()
    const before = group.offsets
    await group.process().requests.ask([], () => true)
    assert.equal(group.offsets, before)
  })
})
