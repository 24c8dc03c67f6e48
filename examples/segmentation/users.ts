import type { ProcessorContext, StoreDefinition } from '../../src/index.ts'
import type { EventKey, EventRest, MembershipKey } from './keys.ts'

/** A user is in a rule's segment until the deadline, unless more events come. */
export interface Membership {
  readonly segment: string
  /** Ms since 1970: from then on too few events are left in the rule's window. */
  readonly deadline: number
}

/** Whether an event lies before the window of every rule. */
export type IsOld = (event: EventRest) => boolean

/** What grows with the users, and is read for the user of the record at hand only. Writes go for every user. */
export interface Users {
  /** @param isOld events that need not be kept; those that are not found here are left to `sweep` */
  addEvent(key: EventKey, value: number, isOld: IsOld): void
  /** When the user did something of a type, newest first, from `fromMs` on. */
  timesOf(user: string, type: string, fromMs: number): Iterable<number>
  membership(key: MembershipKey): Membership | null
  /** null: the user is in the segment no more. */
  setMembership(key: MembershipKey, membership: Membership | null): void
  /** Called every second of stream time. */
  sweep(isOld: IsOld): void
}

/** Where a variant of the topology keeps its users. */
export interface UserStores {
  readonly definitions: readonly StoreDefinition[]
  /** Names of those that are read by a record's user. */
  readonly readsByKey: readonly string[]
  open(context: Pick<ProcessorContext, 'stateStore'>): Users
}
