import {
  Headers,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
} from '../../src/index.ts'
import type { DeadlineKey, MembershipKey } from './keys.ts'
import type { Rule, SegmentChange, UserEvent } from './records.ts'
import { checkRule, defaultRules } from './rules.ts'
import type { IsOld, Membership, UserStores, Users } from './users.ts'

/** What was said of a rule last; null when it was removed. */
export interface RuleEntry {
  readonly rule: Rule | null
}

type Context = ProcessorContext<string, SegmentChange>

/** How often deadlines are looked at, ms of stream time. */
const expiryIntervalMs = 1_000
/** Deadlines that a punctuation takes at once. */
const rowsAtOnce = 1_000

const lastText = '\u{10ffff}'

/**
 * Keeps each user's events, and says who enters and who leaves the rules' segments.
 *
 * A rule is evaluated by one scan, newest event first, of the user's events of its type within its window:
 * the `minCount`-th newest event, if there is one, says both that the user is in the segment and until when.
 * That deadline is a row of its own in a store that is ordered by time, so the punctuator finds what has
 * expired by reading just that; and the row has the segment, since the user's own rows may be elsewhere when
 * no record of the user is at hand. Time is stream time: the same events give the same changes, whenever they
 * are processed.
 */
export class Segmentation implements Processor<string, UserEvent | Rule | null, string, SegmentChange> {
  readonly #rules = new Map<string, Rule>()
  /** The same by type of event. */
  #rulesOfType = new Map<string, Rule[]>()
  /** Of the rules of each type, ms. */
  #longestWindows = new Map<string, number>()
  readonly #userStores: UserStores
  #context!: Context
  #users!: Users
  /** The segments of memberships. */
  #deadlines!: KeyValueStore<DeadlineKey, string>
  #ruleEntries!: KeyValueStore<string, RuleEntry>

  constructor(userStores: UserStores) {
    this.#userStores = userStores
  }

  init(context: Context): void {
    this.#context = context
    this.#users = this.#userStores.open(context)
    this.#deadlines = context.stateStore('deadlines')
    this.#ruleEntries = context.stateStore('rules')
    for (const rule of defaultRules) this.#rules.set(rule.id, rule)
    using entries = this.#ruleEntries.all()
    for (const { key: id, value } of entries) this.#setRule(id, value.rule)
    this.#groupRules()
    context.schedule({ intervalMs: expiryIntervalMs, type: 'stream-time' }, (nowMs) => {
      this.#expire(nowMs)
      this.#users.sweep(this.#isOldAt(nowMs))
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
    this.#longestWindows = new Map()
    for (const [type, rules] of this.#rulesOfType)
      this.#longestWindows.set(type, Math.max(...rules.map(({ windowMs }) => windowMs)))
  }

  #onEvent({ key: user, value: event, timestamp }: StreamRecord<string, UserEvent>, offset: number): void {
    const rules = this.#rulesOfType.get(event.type)
    if (rules === undefined) return
    const nowMs = this.#context.currentStreamTimeMs()
    const eventKey = { user, type: event.type, timestamp, offset }
    this.#users.addEvent(eventKey, event.value ?? 0, this.#isOldAt(nowMs))
    for (const rule of rules) this.#evaluate(user, rule, nowMs)
  }

  #evaluate(user: string, rule: Rule, nowMs: number): void {
    const key = { user, rule: rule.id }
    let member = this.#users.membership(key)
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
    const segment = member?.segment ?? rule.segment
    this.#users.setMembership(key, { segment, deadline })
    this.#deadlines.put({ deadline, ...key }, segment)
  }

  /** Until when the user is in the rule's segment; null when the user is not. */
  #deadlineOf(user: string, { type, minCount, windowMs }: Rule, nowMs: number): number | null {
    // The window is open at its beginning: an event that is exactly windowMs old has left it.
    const fromMs = Math.max(0, nowMs - windowMs + 1)
    let count = 0
    for (const timeMs of this.#users.timesOf(user, type, fromMs)) {
      if (++count === minCount) return timeMs + windowMs
    }
    return null
  }

  #leave(key: MembershipKey, { segment, deadline }: Membership, at: number): void {
    this.#users.setMembership(key, null)
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

  /** Whose deadline has passed leaves. Reads no user's rows. */
  #expire(nowMs: number): void {
    for (;;) {
      const due: [DeadlineKey, string][] = []
      {
        using rows = this.#deadlines.range(null, { deadline: nowMs, user: lastText, rule: lastText })
        for (const { key, value: segment } of rows) {
          due.push([key, segment])
          if (due.length === rowsAtOnce) break
        }
      }
      for (const [{ user, rule, deadline }, segment] of due)
        this.#leave({ user, rule }, { segment, deadline }, deadline)
      if (due.length < rowsAtOnce) return
    }
  }

  #isOldAt(nowMs: number): IsOld {
    return ({ type, timestamp }) => timestamp <= nowMs - (this.#longestWindows.get(type) ?? 0)
  }
}
