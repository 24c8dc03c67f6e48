import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  type LagOffsets,
  type LagReport,
  offsetLag,
  totalsOf,
  withSeconds,
} from '../../../src/cli/lag-figures.ts'
import { type LagInput, lagInputs } from '../../../src/cli/lag-inputs.ts'
import { lagText } from '../../../src/cli/lag-text.ts'
import { defineTopology, serdes } from '../../../src/index.ts'
import type { OffsetReset } from '../../../src/topology/definition.ts'

const text = { key: serdes.string, value: serdes.string }

describe('what weir lag looks at', () => {
  const settings = { applicationId: 'app', autoOffsetReset: 'latest' as const }

  test('every partition that a task reads, repartition topics with their real names', () => {
    const topology = defineTopology((builder) => {
      const left = builder.stream('left', { ...text, offsetReset: 'earliest' })
      left
        .merge(builder.stream('right', text))
        .groupBy((record) => record.value, { ...text, name: 'by-value' })
        .count({ store: 'counts' })
      builder.globalTable('settings', { ...text, store: 'settings' })
    }).build('none')
    const partitions = new Map([
      ['left', 2],
      ['right', 1],
      ['app-by-value-repartition', 2],
      ['settings', 9],
      ['other', 9],
    ])
    const { inputs, missingTopics } = lagInputs(topology, settings, partitions)
    assert.deepEqual(
      inputs.map(({ task, topic, partition, offsetReset }) => `${task} ${topic} ${partition} ${offsetReset}`),
      [
        '0_0 left 0 earliest',
        '0_0 right 0 latest',
        '0_1 left 1 earliest',
        '1_0 app-by-value-repartition 0 earliest',
        '1_1 app-by-value-repartition 1 earliest',
      ],
    )
    assert.deepEqual(missingTopics, [])
  })

  test('topics that a pattern matches, and what is missing', () => {
    const topology = defineTopology((builder) => {
      builder
        .stream(/events-\w+/, text)
        .merge(builder.stream('gone', text))
        .to('out')
    }).build('none')
    const partitions = new Map([
      ['events-a', 1],
      ['events-b', 1],
      ['out', 1],
    ])
    const { inputs, missingTopics } = lagInputs(topology, settings, partitions)
    assert.deepEqual(inputs.map(({ topic }) => topic).sort(), ['events-a', 'events-b'])
    assert.deepEqual(missingTopics, ['gone'])
  })
})

describe('lag', () => {
  const input = (offsetReset: OffsetReset = 'earliest'): LagInput => ({
    task: '0_0',
    topic: 'in',
    partition: 0,
    offsetReset,
  })
  const offsets = (committed: number | null, earliest: number, end: number): LagOffsets => ({
    committed: new Map(committed === null ? [] : [['in:0', committed]]),
    earliest: new Map([['in:0', earliest]]),
    end: new Map([['in:0', end]]),
  })
  const cases: readonly (readonly [
    what: string,
    reset: OffsetReset,
    offsets: LagOffsets,
    next: number | null,
    records: number | null,
  ])[] = [
    ['is what lies between the committed offset and the end', 'earliest', offsets(3, 0, 10), 3, 7],
    ['does not count what was deleted', 'earliest', offsets(3, 5, 10), 5, 5],
    ['is nothing at the end', 'earliest', offsets(10, 0, 10), 10, 0],
    [
      'is no less than nothing when the end was read before the commit',
      'earliest',
      offsets(12, 0, 10),
      12,
      0,
    ],
    ['is everything of a partition that is read from the beginning', 'earliest', offsets(null, 4, 10), 4, 6],
    ['is nothing of one that is read from its end', 'latest', offsets(null, 4, 10), 10, 0],
    ['is not known where nobody says where to begin', 'none', offsets(null, 4, 10), null, null],
    [
      'is not known of a partition whose leader is away',
      'earliest',
      { committed: new Map([['in:0', 3]]), earliest: new Map(), end: new Map() },
      3,
      null,
    ],
  ]
  for (const [what, reset, given, next, records] of cases) {
    test(what, () => {
      const lag = offsetLag(input(reset), given)
      assert.deepEqual([lag.next, lag.records, lag.seconds], [next, records, records === 0 ? 0 : null])
    })
  }

  test('in seconds is the age of the first record that is not committed', () => {
    const behind = offsetLag(input(), offsets(3, 0, 10))
    assert.equal(withSeconds(behind, 1_000, 61_500).seconds, 60.5)
    assert.equal(withSeconds(behind, 99_000, 61_500).seconds, 0, 'a timestamp of the future')
    assert.equal(withSeconds(behind, undefined, 61_500).seconds, null)
    assert.equal(withSeconds(behind, -1, 61_500).seconds, null)
    const none = offsetLag(input(), offsets(10, 0, 10))
    assert.equal(withSeconds(none, 1_000, 61_500).seconds, 0)
    assert.deepEqual(totalsOf([withSeconds(behind, 1_000, 61_500), none]), { records: 7, seconds: 60.5 })
    assert.deepEqual(totalsOf([]), { records: 0, seconds: null })
  })

  const report = (committed: number): LagReport => {
    const partitions = [
      withSeconds(offsetLag(input(), offsets(committed, 0, 1_234_567)), 1_000, 61_500),
      { ...offsetLag(input('none'), offsets(null, 0, 1)), partition: 1 },
    ]
    return {
      applicationId: 'app',
      groupState: 'Stable',
      members: 1,
      isolation: 'read_committed',
      at: '2025-06-30T12:00:00.000Z',
      partitions,
      missingTopics: ['gone'],
      ...totalsOf(partitions),
    }
  }

  test('as text', () => {
    assert.equal(
      lagText(report(1), null),
      `Application app: group Stable, 1 member; 2025-06-30T12:00:00.000Z

task  topic  partition  committed  end      behind     time
0_0   in     0          1          1234567  1,234,566  1 min 1 s
0_0   in     1          -          1        -          -

Source topics that do not exist: gone

1,234,566 records behind, at most 1 min 1 s; of 1 partitions it is not known`,
    )
  })

  test('as text, followed: with the change', () => {
    const lines = lagText(report(1_234_560), report(1)).split('\n')
    assert.match(lines[2]!, / change$/)
    assert.match(lines[3]!, / 7 +1 min 1 s +-1,234,559$/)
    assert.match(lines[4]!, / -$/)
    assert.match(lagText(report(1), report(1_234_560)), / \+1,234,559$/m)
  })
})
