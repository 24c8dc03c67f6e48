/** Which rewritings of a topology are wanted. Kafka Streams' `topology.optimization`. */
import { kindOf } from './options.ts'
import { TopologyError } from './topology-error.ts'

export const OPTIMIZATION_RULES = [
  'reuse.ktable.source.topics',
  'merge.repartition.topics',
  'single.store.self.join',
] as const

/**
 * `reuse.ktable.source.topics`: a table's store is restored from the table's own topic and has no changelog. `merge.repartition.topics`: what an
 * operator that changes keys feeds goes through one repartition topic. `single.store.self.join`: a stream joined with itself keeps its records once.
 */
export type OptimizationRule = (typeof OPTIMIZATION_RULES)[number]

export const OPTIMIZATIONS_ALLOWED = `none, all, or a list of ${OPTIMIZATION_RULES.join(', ')}`

/** @returns null when the text, rules with commas between them, is none that is allowed */
export function parseOptimization(text: string): readonly OptimizationRule[] | null {
  const words = text.trim().split(/\s*,\s*/)
  if (words.length === 1 && words[0] === 'none') return []
  if (words.length === 1 && words[0] === 'all') return OPTIMIZATION_RULES
  return isRules(words) ? OPTIMIZATION_RULES.filter((rule) => words.includes(rule)) : null
}

/** @param given `none`, `all`, rules with commas between them, or a list of rules; @throws TopologyError */
export function checkOptimization(where: string, given: unknown): readonly OptimizationRule[] {
  if (Array.isArray(given) && isRules(given)) return OPTIMIZATION_RULES.filter((rule) => given.includes(rule))
  const rules = typeof given === 'string' ? parseOptimization(given) : null
  if (rules === null) {
    const what = typeof given === 'string' ? JSON.stringify(given) : kindOf(given)
    throw new TopologyError(`${where}: optimization is ${what}; allowed: ${OPTIMIZATIONS_ALLOWED}`)
  }
  return rules
}

function isRules(words: readonly unknown[]): words is OptimizationRule[] {
  const known: readonly unknown[] = OPTIMIZATION_RULES
  return words.every((word) => known.includes(word))
}
