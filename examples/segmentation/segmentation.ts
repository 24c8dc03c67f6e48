import {
  Headers,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
} from '../../src/index.ts'
import type { DeadlineKey, EventKey, MembershipKey } from './keys.ts'
import type { Rule, SegmentChange, UserEvent } from './records.ts'
import { checkRule, defaultRules } from './rules.ts'

/** A user is in a rule's segment until the deadline, unless more events come. */
export interface Membership {
  readonly segment: string
  /** Ms since 1970: from then on too few events are left in the rule's window. */
  readonly deadline: number
}

/** What was said of a rule last; null when it was removed. */
export interface RuleEntry {
  readonly rule: Rule | null
}

type Context = ProcessorContext<string, SegmentChange>

/** How often deadlines are looked at, ms of stream time. */
const expiryIntervalMs = 1_000
/** Rows that a punctuation takes at once, and that it looks through for old events. */
const rowsAtOnce = 1_000

const lastText = '\u{10ffff}'

/**
 * Keeps each user's events, and says who enters and who leaves the rules' segments.
 *
 * A rule is evaluated by one range scan, newest event first, of the user's events of its type within its
 * window: the `minCount`-th newest event, if there is one, says both that the user is in the segment and
 * until when. That deadline is a row of its own in a store that is ordered by time, so the punctuator finds
 * what has expired by reading just that. Time is stream time: the same events give the same changes, whenever
 * they are processed.
 */
export class Segmentation implements Processor<string, UserEvent | Rule | null, string, SegmentChange> {
  readonly #rules = new Map<string, Rule>()
  /** The same by type of event. */
  #rulesOfType = new Map<string, Rule[]>()
  #context!: Context
  #events!: KeyValueStore<EventKey, number>
  #memberships!: KeyValueStore<MembershipKey, Membership>
  #deadlines!: KeyValueStore<DeadlineKey, string>
  #ruleEntries!: KeyValueStore<string, RuleEntry>
  /** Where the search for old events goes on; null is the beginning. */
  #sweptUntil: EventKey | null = null

  init(context: Context): void {
    this.#context = context
    this.#events = context.stateStore('events')
    this.#memberships = context.stateStore('memberships')
    this.#deadlines = context.stateStore('deadlines')
    this.#ruleEntries = context.stateStore('rules')
    for (const rule of defaultRules) this.#rules.set(rule.id, rule)
    using entries = this.#ruleEntries.all()
    for (const { key: id, value } of entries) this.#setRule(id, value.rule)
    this.#groupRules()
    context.schedule({ intervalMs: expiryIntervalMs, type: 'stream-time' }, (nowMs) => {
      this.#expire(nowMs)
      this.#sweep(nowMs)
    })
  }

  process(record: StreamRecord<string, UserEvent | Rule | null>, context: Context): void {
    const { topic, offset } = context.recordMetadata()!
    if (topic === 'rules') this.#onRule(record.key, record.value as Rule | null)
    else this.#onEvent(record as StreamRecord<string, UserEvent>, offset)
  }

  /**
   * Takes effect with the users' next events; who is in a segment of a removed rule stays until the deadline.
   */
  #onRule(id: string, rule: Rule | null): void {
    this.#ruleEntries.put(id, { rule: rule === null ? null : checkRule(rule) })
    this.#setRule(id, rule)
    this.#groupRules()
  }

  #setRule(id: string, rule: Rule | null): void {
    if (rule === null) this.#rules.delete(id)
    else this.#rules.set(id, rule)
  }

  #groupRules(): void {
    this.#rulesOfType = Map.groupBy(this.#rules.values(), ({ type }) => type)
  }

  #onEvent({ key: user, value: event, timestamp }: StreamRecord<string, UserEvent>, offset: number): void {
    const rules = this.#rulesOfType.get(event.type)
    if (rules === undefined) return
    this.#events.put({ user, type: event.type, timestamp, offset }, event.value ?? 0)
    const nowMs = this.#context.currentStreamTimeMs()
    for (const rule of rules) this.#evaluate(user, rule, nowMs)
  }

  #evaluate(user: string, rule: Rule, nowMs: number): void {
    const key = { user, rule: rule.id }
    let member = this.#memberships.get(key)
    if (member !== null && member.deadline <= nowMs) {
      this.#leave(key, member, member.deadline)
      member = null
    }
    const deadline = this.#deadlineOf(user, rule, nowMs)
    if (deadline === member?.deadline) return
    if (deadline === null) {
      // The rule has become stricter since the user entered.
      if (member !== null) this.#leave(key, member, nowMs)
      return
    }
    if (member === null) this.#forward(key, rule.segment, 'entered', nowMs)
    else this.#deadlines.delete({ deadline: member.deadline, ...key })
    this.#memberships.put(key, { segment: member?.segment ?? rule.segment, deadline })
    this.#deadlines.put({ deadline, ...key }, '')
  }

  /** Until when the user is in the rule's segment; null when the user is not. */
  #deadlineOf(user: string, { type, minCount, windowMs }: Rule, nowMs: number): number | null {
    // The window is open at its beginning: an event that is exactly windowMs old has left it.
    const from = { user, type, timestamp: Math.max(0, nowMs - windowMs + 1), offset: 0 }
    const to = { user, type, timestamp: Number.MAX_SAFE_INTEGER, offset: Number.MAX_SAFE_INTEGER }
    let count = 0
    using newestFirst = this.#events.reverseRange(from, to)
    for (const { key } of newestFirst) {
      if (++count === minCount) return key.timestamp + windowMs
    }
    return null
  }

  #leave(key: MembershipKey, { segment, deadline }: Membership, at: number): void {
    this.#memberships.delete(key)
    this.#deadlines.delete({ deadline, ...key })
    this.#forward(key, segment, 'left', at)
  }

  #forward(
    { user, rule }: MembershipKey,
    segment: string,
    change: SegmentChange['change'],
    at: number,
  ): void {
    this.#context.forward({
      key: user,
      value: { user, segment, rule, change, at },
      timestamp: at,
      headers: Headers.empty,
    })
  }

  /** Whose deadline has passed leaves. */
  #expire(nowMs: number): void {
    for (;;) {
      const due: DeadlineKey[] = []
      {
        using rows = this.#deadlines.range(null, { deadline: nowMs, user: lastText, rule: lastText })
        for (const { key } of rows) {
          due.push(key)
          if (due.length === rowsAtOnce) break
        }
      }
      for (const { user, rule, deadline } of due) {
        const member = this.#memberships.get({ user, rule })
        if (member !== null) this.#leave({ user, rule }, member, deadline)
      }
      if (due.length < rowsAtOnce) return
    }
  }

  /**
   * Deletes events that lie before the window of every rule. Nobody waits for it, so it goes through the
   * store a piece at a time, round and round, and no punctuation takes long however many users there are.
   */
  #sweep(nowMs: number): void {
    const old: EventKey[] = []
    let seen = 0
    {
      using rows = this.#events.range(this.#sweptUntil, null)
      this.#sweptUntil = null
      for (const { key } of rows) {
        if (++seen > rowsAtOnce) {
          this.#sweptUntil = key
          break
        }
        const windows = (this.#rulesOfType.get(key.type) ?? []).map(({ windowMs }) => windowMs)
        if (key.timestamp <= nowMs - Math.max(0, ...windows)) old.push(key)
      }
    }
    for (const key of old) this.#events.delete(key)
  }
}
