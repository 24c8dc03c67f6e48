import type { Rule, SegmentChange, UserEvent } from '../../examples/segmentation/records.ts'

interface Member {
  readonly user: string
  readonly rule: Rule
  /** The first moment at which too few of the known events are left in the window. */
  expiry: number
}

/**
 * What examples/segmentation has to say of one partition's events, computed the slow way: every event is kept
 * for ever and counted anew each time. Changes are returned by `user rule`, each list in order; the order
 * between lists is left open, as it is between punctuations.
 */
export class SegmentationModel {
  readonly #rules: readonly Rule[]
  readonly #times = new Map<string, number[]>()
  readonly #members = new Map<string, Member>()
  readonly changes = new Map<string, SegmentChange[]>()
  #nowMs = -1

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  add({ user, type, timestamp }: UserEvent): void {
    this.#nowMs = Math.max(this.#nowMs, timestamp)
    for (const member of [...this.#members.values()]) {
      if (member.expiry <= this.#nowMs) this.#change(member, 'left', member.expiry)
    }
    const name = `${user} ${type}`
    this.#times.set(name, [...(this.#times.get(name) ?? []), timestamp])
    for (const rule of this.#rules) {
      if (rule.type !== type || this.#countWithin(user, rule, this.#nowMs) < rule.minCount) continue
      const expiry = this.#expiryOf(user, rule)
      const member = this.#members.get(`${user} ${rule.id}`)
      if (member !== undefined) member.expiry = expiry
      else this.#change({ user, rule, expiry }, 'entered', this.#nowMs)
    }
  }

  /** Who is in a segment, each with the change by which it was entered. */
  members(): SegmentChange[] {
    return [...this.#members.keys()].map((name) => this.changes.get(name)!.at(-1)!)
  }

  #countWithin(user: string, { type, windowMs }: Rule, nowMs: number): number {
    return this.#times.get(`${user} ${type}`)!.filter((timeMs) => timeMs > nowMs - windowMs).length
  }

  /** The count falls only where an event leaves the window. */
  #expiryOf(user: string, rule: Rule): number {
    const moments = this.#times.get(`${user} ${rule.type}`)!.map((timeMs) => timeMs + rule.windowMs)
    return moments
      .filter((moment) => moment > this.#nowMs)
      .sort((a, b) => a - b)
      .find((moment) => this.#countWithin(user, rule, moment) < rule.minCount)!
  }

  #change(member: Member, change: SegmentChange['change'], at: number): void {
    const { user, rule } = member
    const name = `${user} ${rule.id}`
    if (change === 'entered') this.#members.set(name, member)
    else this.#members.delete(name)
    const list = this.changes.get(name) ?? []
    list.push({ user, segment: rule.segment, rule: rule.id, change, at })
    this.changes.set(name, list)
  }
}
