import type { Rule } from './records.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** In force from the start; the topic `rules` changes them and adds to them. */
export const defaultRules: readonly Rule[] = [
  { id: 'browsing', segment: 'browsing-now', type: 'page-view', minCount: 5, windowMs: 30 * second },
  { id: 'hesitating', segment: 'hesitating', type: 'add-to-cart', minCount: 3, windowMs: 10 * minute },
  { id: 'buyer', segment: 'buyers', type: 'purchase', minCount: 1, windowMs: 24 * hour },
  { id: 'loyal', segment: 'loyal', type: 'purchase', minCount: 3, windowMs: 7 * 24 * hour },
]

/** @throws TypeError with one line that says what is wrong */
export function checkRule(rule: Rule): Rule {
  const { id, segment, type, minCount, windowMs } = rule
  for (const [name, text] of Object.entries({ id, segment, type })) {
    if (typeof text !== 'string' || text === '')
      throw new TypeError(`rule ${id}: ${name} is ${text}; allowed is a text`)
  }
  for (const [name, number] of Object.entries({ minCount, windowMs })) {
    if (!Number.isSafeInteger(number) || number < 1) {
      throw new TypeError(`rule ${id}: ${name} is ${number}; allowed is a whole number from 1`)
    }
  }
  return rule
}
