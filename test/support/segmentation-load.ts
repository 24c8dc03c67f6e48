import type { UserEvent } from '../../examples/segmentation/records.ts'
import { defaultRules } from '../../examples/segmentation/rules.ts'
import type { Random } from './seed.ts'

/**
 * Events of some users whose times jump: mostly seconds, now and then hours or days, and some of them late.
 * So every rule of the example is entered, left by expiry, and entered again.
 */
export function segmentationEvents(
  count: number,
  users: number,
  random: Random,
  startMs = 1_700_000_000_000,
): UserEvent[] {
  const types = [...new Set(defaultRules.map(({ type }) => type)), 'unknown']
  const events: UserEvent[] = []
  let nowMs = startMs
  let user = ''
  let type = ''
  for (let index = 0; index < count; index++) {
    // In whole seconds, as the rules' windows are: many events lie exactly at a window's end.
    nowMs += 1_000 * (random.next() < 0.002 ? random.below(3 * 86_400) : random.below(3))
    const lateMs = random.next() < 0.2 ? 1_000 * random.below(random.next() < 0.1 ? 86_400 : 30) : 0
    // Mostly the same user goes on with the same.
    if (index === 0 || random.next() < 0.3) {
      user = `user-${random.below(users)}`
      type = random.pick(types)
    }
    events.push({
      user,
      type,
      value: random.below(100),
      channel: 'web',
      timestamp: nowMs - lateMs,
    })
  }
  return events
}
