import { type KeyValueStore, serdes, stores } from '../../src/index.ts'
import { type EventKey, eventKey, type MembershipKey, membershipKey } from './keys.ts'
import { membershipSchema } from './schemas.ts'
import type { IsOld, Membership, UserStores, Users } from './users.ts'

/** Rows that a sweep looks through. */
const rowsAtOnce = 1_000

/** Users in stores that each task has as a whole. */
export const plainUsers: UserStores = {
  definitions: [
    stores.keyValue({ name: 'events', key: eventKey, value: serdes.float64 }),
    stores.keyValue({
      name: 'memberships',
      key: membershipKey,
      value: serdes.avro<Membership>(membershipSchema),
    }),
  ],
  readsByKey: [],
  open: (context) => new PlainUsers(context.stateStore('events'), context.stateStore('memberships')),
}

class PlainUsers implements Users {
  readonly #events: KeyValueStore<EventKey, number>
  readonly #memberships: KeyValueStore<MembershipKey, Membership>
  /** Where the search for old events goes on; null is the beginning. */
  #sweptUntil: EventKey | null = null

  constructor(
    events: KeyValueStore<EventKey, number>,
    memberships: KeyValueStore<MembershipKey, Membership>,
  ) {
    this.#events = events
    this.#memberships = memberships
  }

  addEvent(key: EventKey, value: number): void {
    this.#events.put(key, value)
  }

  /** One range scan, which reads what is asked for and no more. */
  *timesOf(user: string, type: string, fromMs: number): Iterable<number> {
    const from = { user, type, timestamp: fromMs, offset: 0 }
    const to = { user, type, timestamp: Number.MAX_SAFE_INTEGER, offset: Number.MAX_SAFE_INTEGER }
    using newestFirst = this.#events.reverseRange(from, to)
    for (const { key } of newestFirst) yield key.timestamp
  }

  membership(key: MembershipKey): Membership | null {
    return this.#memberships.get(key)
  }

  setMembership(key: MembershipKey, membership: Membership | null): void {
    this.#memberships.put(key, membership)
  }

  /**
   * Nobody waits for it, so it goes through the store a piece at a time, round and round, and no punctuation
   * takes long however many users there are.
   */
  sweep(isOld: IsOld): void {
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
        if (isOld(key)) old.push(key)
      }
    }
    for (const key of old) this.#events.delete(key)
  }
}
