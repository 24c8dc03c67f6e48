import { setTimeout as delay } from 'node:timers/promises'

import { newerOffsetFormat } from '../../commit/offset-metadata.ts'
import { consumerConfig } from '../../config/clients.ts'
import type { Config } from '../../config/config.ts'
import { decisionFor } from '../../errors/decision.ts'
import { namedError } from '../../errors/named-error.ts'
import { messageOf, WeirError } from '../../errors/weir-error.ts'
import {
  Consumer,
  type ConsumerEvent,
  type GroupMember,
  type NativeError,
  type TopicPartition,
  type TopicPartitionOffset,
} from '../../native.ts'
import type { OffsetReset } from '../../topology/definition.ts'
import { type Logger, LogLimiter } from '../logger.ts'
import { retryWhileUnreachable, whenTopicKnown } from '../retry.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import type { Membership, MembershipListener } from './membership.ts'
import { isContinuous, type StartOffset, startOffset } from './start-offsets.ts'

const REQUEST_TIMEOUT_MS = 10_000
const LEAVE_POLL_MS = 10

export interface ClassicMembershipOptions {
  readonly config: Config
  /** How many partitions may come, all topics together: the fetch queues' memory is divided by it. */
  readonly inputPartitions: number
  /** By a topic's real name. */
  readonly offsetReset: (topic: string) => OffsetReset
  /** Topics whose deletion is no error. */
  readonly mayGo: (topic: string) => boolean
  readonly logger: Logger
  readonly listener: MembershipListener
}

/**
 * Membership by librdkafka's consumer groups: the classic protocol with `range`, or KIP-848 with the broker's `range` assignor. Main thread.
 *
 *   assign event -> committed offsets, reset policies -> consumer.assign -> listener.assigned
 *   revoke event -> listener.revoked -> consumer.unassign
 *
 * Events are handled one after the other; librdkafka waits with the next rebalance until this one is answered.
 */
export class ClassicMembership implements Membership {
  readonly consumerId: number
  readonly isCooperative: boolean
  readonly canStaticLeave: boolean
  readonly #consumer: Consumer
  readonly #options: ClassicMembershipOptions
  readonly #logger: Logger
  readonly #listener: MembershipListener
  readonly #limiter = new LogLimiter()
  readonly #leaving = new AbortController()
  readonly #committed: CommittedOffsets
  /** The handling of everything told so far. */
  #handled: Promise<void> = Promise.resolve()
  #subscribed: ReadonlySet<string> = new Set()
  /** The generation in which partitions were given back last; -1 when they were lost, or never had. */
  #revokedIn = -1
  /** Under the eager protocol: what was assigned, and not revoked since. */
  #held: readonly TopicPartition[] = []

  constructor(options: ClassicMembershipOptions) {
    this.#options = options
    this.#logger = options.logger
    this.#listener = options.listener
    this.#committed = new CommittedOffsets(options.mayGo)
    this.isCooperative = options.config.groupProtocol === 'consumer'
    // Under KIP-848 librdkafka tells the broker of a static member only that it is away for a while.
    this.canStaticLeave = options.config.groupProtocol === 'classic'
    this.#consumer = new Consumer(consumerConfig(options.config, options.inputPartitions), (event) =>
      this.#told(event),
    )
    this.consumerId = this.#consumer.id
  }

  join(topics: readonly string[]): void {
    this.#subscribe(topics)
  }

  #subscribe(topics: readonly string[]): void {
    // Without any topic the last subscription stays: its partitions go with their topics.
    if (topics.length === 0) return
    this.#subscribed = new Set(topics)
    this.#consumer.subscribe(topics)
  }

  between(run: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#enqueue(async () => {
        try {
          if (!this.#leaving.signal.aborted) await run()
        } finally {
          resolve()
        }
      })
    })
  }

  changeTopics(topics: readonly string[], before: (hasOthers: boolean) => Promise<void>): void {
    this.#enqueue(async () => {
      if (this.#leaving.signal.aborted) return
      const hasOthers = new Set(topics).symmetricDifference(this.#subscribed).size > 0
      await before(hasOthers)
      // The same topics with more partitions are assigned anew by the group itself.
      if (hasOthers) this.#subscribe(topics)
    })
  }

  async commit(
    offsets: readonly TopicPartitionOffset[],
    isCurrent: () => boolean,
    alsoUnmoved = false,
  ): Promise<void> {
    try {
      await retryWhileUnreachable(() => this.#tryCommit(offsets, isCurrent, alsoUnmoved), {
        // Leaving does not end it: a clean stop commits, for as long as it may take.
        signal: new AbortController().signal,
        onRetry: (error) => this.#limited('commit', error, 'offsets cannot be committed yet; trying again'),
      })
    } catch (error) {
      throw namedError(error, 'committing offsets')
    }
  }

  async #tryCommit(
    offsets: readonly TopicPartitionOffset[],
    isCurrent: () => boolean,
    alsoUnmoved: boolean,
  ): Promise<void> {
    if (!isCurrent()) throw new WeirError('fenced', 'the tasks were taken away during their commit')
    this.#member()
    const moved = alsoUnmoved ? offsets : this.#committed.moved(offsets)
    if (moved.length === 0) return
    try {
      await this.#commitOfExisting(moved)
      this.#committed.set(moved)
    } catch (error) {
      // KIP-848 moves the epoch on with every change of the group: the next heartbeat brings the new one, and it is still ours to commit.
      if ((error as NativeError).code !== 'kafka:STALE_MEMBER_EPOCH') throw error
      throw new WeirError('broker-unreachable', messageOf(error), { cause: error })
    }
  }

  /** What was deleted needs no offsets; those of the other topics are committed, though the broker's answer is one for all. */
  async #commitOfExisting(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    const { mayGo } = this.#options
    try {
      await this.#consumer.commit(offsets)
    } catch (error) {
      if (decisionFor(error).code !== 'topic-missing' || !offsets.some(({ topic }) => mayGo(topic)))
        throw error
      for (const [topic, group] of Map.groupBy(offsets, (offset) => offset.topic)) {
        try {
          await this.#consumer.commit(group)
        } catch (one) {
          if (decisionFor(one).code !== 'topic-missing' || !mayGo(topic)) throw one
          this.#logger.debug({ topic }, 'a deleted topic takes no offsets')
          this.#listener.topicsInDoubt()
        }
      }
    }
  }

  prepareTransaction(offsets: readonly TopicPartitionOffset[]): ReturnType<Membership['prepareTransaction']> {
    return { member: this.#member(), offsets: this.#committed.moved(offsets) }
  }

  committedElsewhere(offsets: readonly TopicPartitionOffset[]): void {
    this.#committed.set(offsets)
  }

  startOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#startOffsets(partitions)
  }

  /** @throws WeirError fenced: without a generation a broker takes offsets from anyone while the group is empty, or in a transaction */
  #member(): GroupMember {
    const { memberId, generation } = this.#consumer.groupMetadata()
    if (generation < 0) throw new WeirError('fenced', 'this process is not a member of the group')
    const { applicationId, groupInstanceId } = this.#options.config
    return { groupId: applicationId, memberId, generation, groupInstanceId }
  }

  get #generation(): number {
    return this.#consumer.groupMetadata().generation
  }

  async leave({ isStaticToo } = { isStaticToo: false }): Promise<void> {
    this.#leaving.abort()
    if (isStaticToo) await this.#unsubscribe()
    await this.#consumer.close()
    await this.#handled
  }

  /** A static member stays when it closes, and leaves when it reads no topic any more: then it is no member. */
  async #unsubscribe(): Promise<void> {
    const deadlineMs = performance.now() + REQUEST_TIMEOUT_MS
    this.#consumer.subscribe([])
    while (this.#consumer.groupMetadata().memberId !== '') {
      if (performance.now() > deadlineMs) {
        this.#logger.warn({}, 'the group could not be left: the tasks move after the session timeout')
        return
      }
      await delay(LEAVE_POLL_MS)
    }
  }

  #told(event: ConsumerEvent): void {
    switch (event.type) {
      case 'assign':
        this.#enqueue(() => this.#assign(event.partitions))
        break
      case 'revoke':
        this.#enqueue(() => this.#revoke(event.partitions, event.lost))
        break
      case 'error':
        this.#onError(event.error)
        break
      case 'stray': {
        const { topic, partition, offset } = event
        const what = `record ${offset} of ${topic} partition ${partition} arrived outside its partition's queue`
        this.#listener.failed(new WeirError('stray-record', what))
        break
      }
    }
  }

  #enqueue(handle: () => Promise<void>): void {
    this.#handled = this.#handled.then(handle).catch((error: unknown) => {
      // The consumer answers by itself what comes while it leaves.
      const { code } = decisionFor(error)
      if (!(this.#leaving.signal.aborted && code === 'closed')) this.#fail(error, 'the group')
    })
  }

  async #assign(partitions: readonly TopicPartition[]): Promise<void> {
    // A rebalance that begins while the last one's answer is on its way is told by its assignment alone: others may have had the partitions between the two.
    if (this.#held.length > 0) await this.#revoke(this.#held, true)
    let starts: StartOffset[]
    try {
      starts = await this.#startOffsets(partitions)
    } catch (error) {
      // librdkafka waits for an answer before it can leave.
      this.#consumer.assign([])
      if (this.#leaving.signal.aborted) return
      throw error
    }
    for (const start of starts) this.#logReset(start)
    this.#consumer.assign(starts)
    if (!this.isCooperative) this.#held = partitions
    await this.#keepLatest(starts)
    const generation = this.#generation
    const continuous = isContinuous(this.#revokedIn, generation)
    this.#logger.info({ partitions: partitions.length, generation }, 'partitions assigned')
    await this.#listener.assigned({ partitions: starts, continuous })
  }

  async #revoke(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    const generation = this.#generation
    this.#logger.info(
      { partitions: partitions.length, generation },
      lost ? 'partitions lost' : 'partitions revoked',
    )
    try {
      await this.#listener.revoked(partitions, lost)
    } finally {
      this.#revokedIn = lost ? -1 : generation
      this.#held = []
      this.#consumer.unassign(partitions)
    }
  }

  /** Waits for the brokers, until this process leaves. */
  async #startOffsets(partitions: readonly TopicPartition[]): Promise<StartOffset[]> {
    const { signal } = this.#leaving
    const ask = <T>(what: string, attempt: () => Promise<T>): Promise<T> =>
      retryWhileUnreachable(attempt, {
        signal,
        onRetry: (error) => this.#limited(what, error, `${what} cannot be had yet; trying again`),
      })
    const committed = await ask('committed offsets', () =>
      this.#consumer.committed(partitions, REQUEST_TIMEOUT_MS),
    )
    for (const one of committed) refuseNewer(one)
    this.#committed.set(committed)
    return await Promise.all(
      committed.map(async (one) => {
        const { topic, partition, offset } = one
        try {
          const askLog = (uncommitted: boolean): Promise<[number, number]> => {
            const attempt = (): Promise<[number, number]> =>
              this.#consumer.queryWatermarks(topic, partition, REQUEST_TIMEOUT_MS, uncommitted)
            // The group knows the topic: where none is deleted, it is there.
            return ask('the ends of partitions', () =>
              this.#options.mayGo(topic) ? attempt() : whenTopicKnown(attempt, signal),
            )
          }
          const log = await askLog(false)
          // Committed when uncommitted records were read too, and a transaction that began before is still open: it is waited for.
          if (offset > log[1] && offset <= (await askLog(true))[1]) return { ...one, reason: 'committed' }
          return startOffset(one, log, this.#options.offsetReset(topic))
        } catch (error) {
          // Deleted a moment ago, or so new that not every broker knows it: then it is empty.
          if (decisionFor(error).code !== 'topic-missing' || !this.#options.mayGo(topic)) throw error
          return offset < 0
            ? startOffset(one, [0, 0], this.#options.offsetReset(topic))
            : { ...one, reason: 'committed' }
        }
      }),
    )
  }

  /** Where `latest` was found is committed at once: a restart before the first record would find a later end, and skip what came between. */
  async #keepLatest(starts: readonly StartOffset[]): Promise<void> {
    const found = starts.filter(
      ({ topic, reason }) => reason !== 'committed' && this.#options.offsetReset(topic) === 'latest',
    )
    if (found.length === 0) return
    const offsets = found.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
    try {
      await this.commit(offsets, () => !this.#leaving.signal.aborted)
    } catch (error) {
      this.#logger.warn({ reason: messageOf(error) }, 'the offsets to start from could not be committed')
    }
  }

  #logReset({ topic, partition, offset, reason }: StartOffset): void {
    if (reason === 'committed') return
    const fields = { topic, partition, offset }
    if (reason === 'initial') this.#logger.debug(fields, 'no committed offset: starting by the reset policy')
    else if (reason === 'deleted')
      this.#logger.warn(fields, 'the committed offset was deleted meanwhile: going on by the reset policy')
    else
      this.#logger.warn(
        fields,
        "the committed offset lies beyond the partition's end: going on by the reset policy",
      )
  }

  #onError(error: NativeError): void {
    const { code, next } = decisionFor(error)
    // What a group of another kind is to KIP-848: librdkafka gives up there.
    if (error.code === 'kafka:GROUP_ID_NOT_FOUND') this.#refused(error)
    else if (error.fatal) this.#fail(error, 'the group')
    else if (code === 'topic-missing') this.#listener.topicsInDoubt()
    else if (code === 'group-in-use')
      this.#limited(code, error, 'the group has members that are not Weir; joining when they have left')
    else if (next === 'retry') this.#limited(code, error, 'brokers do not answer; trying again')
    else if (next === 'stop' && !passing.has(error.code)) this.#fail(error, 'the group')
    else this.#logger.warn({ code: error.code, reason: messageOf(error) }, 'the group reports an error')
  }

  #refused(cause: NativeError): void {
    const { applicationId } = this.#options.config
    const what = `the group ${applicationId} has members that are not Weir; start again when they have left`
    this.#listener.failed(new WeirError('group-in-use', `${what} (${cause.message})`, { cause }))
  }

  #limited(key: string, error: unknown, message: string): void {
    this.#limiter.once(key, (heldBack) => this.#logger.warn({ reason: messageOf(error), heldBack }, message))
  }

  #fail(error: unknown, what: string): void {
    this.#listener.failed(namedError(error, what))
  }
}

/** @throws WeirError offsets-newer: nothing is processed, and the newer version finds its offsets as they were */
function refuseNewer({ topic, partition, metadata }: TopicPartitionOffset): void {
  const format = newerOffsetFormat(metadata)
  if (format === null) return
  throw new WeirError(
    'offsets-newer',
    `the offset of ${topic} partition ${partition} was committed by a newer version of Weir (metadata format ${format}); run that version, or reset the application`,
  )
}

/** What librdkafka reports and goes on from by itself. */
const passing: ReadonlySet<string> = new Set(['kafka:_MAX_POLL_EXCEEDED', 'kafka:_PARTITION_EOF'])
