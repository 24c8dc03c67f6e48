import assert from 'node:assert/strict'
import { join } from 'node:path'

import {
  createSegmentationTopics,
  partitions,
  SegmentationRecords,
} from '../../examples/segmentation/load.ts'
import type { Rule, SegmentChange, UserEvent } from '../../examples/segmentation/records.ts'
import { defaultRules } from '../../examples/segmentation/rules.ts'
import { lagOf, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import type { Random } from './seed.ts'
import { segmentationEvents } from './segmentation-load.ts'
import { SegmentationModel } from './segmentation-model.ts'
import { WeirProcess } from './weir-process.ts'

const longestWindowMs = 30 * 86_400_000

/** Two rules besides the default ones, one changed and one removed. */
const ruleChanges: readonly (readonly [string, Rule | null])[] = [
  ['watching', { id: 'watching', segment: 'watchers', type: 'page-view', minCount: 10, windowMs: 600_000 }],
  [
    'remembered',
    { id: 'remembered', segment: 'remembered', type: 'purchase', minCount: 1, windowMs: longestWindowMs },
  ],
  ['browsing', { ...defaultRules.find(({ id }) => id === 'browsing')!, minCount: 3 }],
  ['loyal', null],
]

export interface SegmentationApplicationOptions {
  /** Of the example. */
  readonly module: string
  readonly applicationId: string
  readonly bootstrapServers: string
  readonly registryUrl: string
  readonly env?: Readonly<Record<string, string>>
}

/** A variant of examples/segmentation, alone on its brokers, with what it was given and what it should say of it. */
export class SegmentationApplication {
  readonly rules: readonly Rule[]
  readonly #options: SegmentationApplicationOptions
  readonly #records: SegmentationRecords
  readonly #stateDir: string
  #lastMs: number | undefined
  #buyers = 0

  private constructor(options: SegmentationApplicationOptions, records: SegmentationRecords) {
    this.#options = options
    this.#records = records
    this.#stateDir = makeScratchDir(options.applicationId)
    const rules = new Map(defaultRules.map((rule) => [rule.id, rule]))
    for (const [id, rule] of ruleChanges) {
      if (rule === null) rules.delete(id)
      else rules.set(id, rule)
    }
    this.rules = [...rules.values()]
  }

  /** Makes its topics, and writes its rules to every partition, before any event. */
  static async make(options: SegmentationApplicationOptions): Promise<SegmentationApplication> {
    const { bootstrapServers, registryUrl } = options
    const records = await SegmentationRecords.register(registryUrl)
    await createSegmentationTopics(bootstrapServers)
    await produceAll(
      bootstrapServers,
      ruleChanges.flatMap(([id, rule]) => records.rule(id, rule, 1)),
    )
    return new SegmentationApplication(options, records)
  }

  /** Random events, after those before. Some apps know the first schema only. */
  async give(count: number, users: number, random: Random): Promise<void> {
    const events = segmentationEvents(count, users, random, this.#lastMs)
    this.#lastMs = Math.max(...events.map(({ timestamp }) => timestamp))
    await produceAll(
      this.#options.bootstrapServers,
      events.map((event) =>
        random.below(3) === 0 ? this.#records.firstEvent(event) : this.#records.event(event),
      ),
    )
  }

  /** Users of their own buy something, once: they are members, and come no more. */
  async giveBuyers(count: number): Promise<void> {
    const timestamp = this.#lastMs!
    await produceAll(
      this.#options.bootstrapServers,
      Array.from({ length: count }, () =>
        this.#records.firstEvent({ user: `buyer-${this.#buyers++}`, type: 'purchase', timestamp }),
      ),
    )
  }

  /** One more in each partition, long after all others: everything that can expire has expired. */
  async giveLast(): Promise<void> {
    const timestamp = this.#lastMs! + 2 * longestWindowMs
    await produceAll(
      this.#options.bootstrapServers,
      Array.from({ length: partitions }, (_, partition) => ({
        ...this.#records.firstEvent({ user: `last-${partition}`, type: 'none', timestamp }),
        partition,
      })),
    )
  }

  /** @param disk one that no process has had is empty */
  start(disk: string): Promise<WeirProcess> {
    const { module, applicationId, bootstrapServers, registryUrl, env } = this.#options
    return WeirProcess.start({
      module,
      applicationId,
      bootstrapServers,
      stateDir: join(this.#stateDir, disk),
      env: {
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_COMMIT_INTERVAL_MS: '200',
        WEIR_SCHEMA_REGISTRY_URL: registryUrl,
        WEIR_SCHEMA_AUTO_REGISTER: 'internal',
        ...env,
      },
    })
  }

  /** Waits until all that was given is committed. @param more topics besides */
  async consumed(worker: WeirProcess, ...more: readonly string[]): Promise<void> {
    const { applicationId, bootstrapServers } = this.#options
    const topics = ['events', 'rules', ...more]
    await worker.whileRunning(
      waitUntilConsumed(bootstrapServers, applicationId, topics, { timeoutMs: 240_000 }),
    )
  }

  /** How many records of what was given are committed, and how many are not. */
  async lag(): Promise<{ readonly committed: number; readonly remaining: number }> {
    const { applicationId, bootstrapServers } = this.#options
    return await lagOf(bootstrapServers, applicationId, ['events', 'rules'])
  }

  /** What was said, by `user rule`. */
  async changes(): Promise<Map<string, SegmentChange[]>> {
    const changes = new Map<string, SegmentChange[]>()
    for (const { key, value } of await readToEnd(this.#options.bootstrapServers, 'segment-changes')) {
      // As plain objects, for the comparison.
      const change = { ...(this.#records.changes.read(value!) as SegmentChange) }
      assert.equal(key!.toString(), change.user)
      const name = `${change.user} ${change.rule}`
      changes.set(name, [...(changes.get(name) ?? []), change])
    }
    return changes
  }

  /** Each partition has a time of its own, so each has a model of its own, fed in the partition's order. */
  async models(): Promise<SegmentationModel[]> {
    const records = await readToEnd(this.#options.bootstrapServers, 'events')
    return [...Map.groupBy(records, ({ partition }) => partition).values()].map((own) => {
      const model = new SegmentationModel(this.rules)
      for (const { value } of own) {
        const { events, firstEvents } = this.#records
        model.add((events.wrote(value!) ? events : firstEvents).read(value!) as UserEvent)
      }
      return model
    })
  }

  /** What it has said is what the models say. @param isOnce false: it may have said it again, after a crash. @returns how much that is */
  async assertChanges(told: string, isOnce = true): Promise<string> {
    const expected = new Map((await this.models()).flatMap(({ changes }) => [...changes]))
    const all = [...expected.values()].flat()
    for (const { id } of this.rules) {
      for (const kind of ['entered', 'left']) {
        assert.ok(
          all.some(({ rule, change }) => rule === id && change === kind),
          `the events never make anyone have ${kind} ${id}`,
        )
      }
    }
    const actual = await this.changes()
    if (!isOnce) for (const [name, list] of actual) actual.set(name, firstOfEach(list))
    assert.deepEqual(byName(actual), byName(expected), told)
    return `${all.length} changes of ${expected.size} memberships`
  }
}

/** Nobody enters, or leaves, the same segment twice at one time. */
function firstOfEach(changes: readonly SegmentChange[]): SegmentChange[] {
  const seen = new Map<string, SegmentChange>()
  for (const change of changes) {
    const text = JSON.stringify(change)
    if (!seen.has(text)) seen.set(text, change)
  }
  return [...seen.values()]
}

function byName(map: ReadonlyMap<string, SegmentChange[]>): [string, SegmentChange[]][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}
