import { serdes, stores, type TieredPrefixStore } from '../../src/index.ts'
import { type EventKey, type EventRest, eventRest, type MembershipKey } from './keys.ts'
import { membershipSchema } from './schemas.ts'
import type { IsOld, Membership, UserStores, Users } from './users.ts'

const day = 86_400

/**
 * Users in Cassandra: a user's rows come when a record of the user does, and are dropped here when there are
 * too many.
 */
export const tieredUsers: UserStores = {
  definitions: [
    stores.tieredByPrefix({
      name: 'events',
      prefix: serdes.string,
      rest: eventRest,
      value: serdes.float64,
      // What is left of users who come no more. Longer than the longest window, by what the application may
      // be behind.
      ttlSeconds: 30 * day,
      // An event that comes to light again after its deletion is too old to count: tombstones are needed for
      // as long as Cassandra keeps hints, and no longer.
      with: { gc_grace_seconds: 10_800 },
    }),
    stores.tieredByPrefix({
      name: 'memberships',
      prefix: serdes.string,
      rest: serdes.string,
      value: serdes.avro<Membership>(membershipSchema),
    }),
  ],
  readsByKey: ['events', 'memberships'],
  open: (context) => new TieredUsers(context.stateStore('events'), context.stateStore('memberships')),
}

class TieredUsers implements Users {
  readonly #events: TieredPrefixStore<string, EventRest, number>
  readonly #memberships: TieredPrefixStore<string, string, Membership>

  constructor(
    events: TieredPrefixStore<string, EventRest, number>,
    memberships: TieredPrefixStore<string, string, Membership>,
  ) {
    this.#events = events
    this.#memberships = memberships
  }

  /** The user's rows are here now, and maybe never again: what is old goes with each event. */
  addEvent({ user, ...rest }: EventKey, value: number, isOld: IsOld): void {
    this.#events.put(user, rest, value)
    const old: EventRest[] = []
    {
      using rows = this.#events.scan(user)
      for (const key of rows.keys()) if (isOld(key)) old.push(key)
    }
    for (const key of old) this.#events.delete(user, key)
  }

  *timesOf(user: string, type: string, fromMs: number): Iterable<number> {
    let isFound = false
    using newestFirst = this.#events.reverseScan(user)
    for (const event of newestFirst.keys()) {
      if (event.type === type) {
        if (event.timestamp < fromMs) return
        isFound = true
        yield event.timestamp
      } else if (isFound) return
    }
  }

  membership({ user, rule }: MembershipKey): Membership | null {
    return this.#memberships.get(user, rule)
  }

  setMembership({ user, rule }: MembershipKey, membership: Membership | null): void {
    this.#memberships.put(user, rule, membership)
  }

  /** Which users there are only Cassandra knows, whose table has a TTL. */
  sweep(): void {}
}
