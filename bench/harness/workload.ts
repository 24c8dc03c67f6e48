import type { BenchResults } from './results.ts'

/** What `--help` says of a number that can be given, and what it is otherwise. */
export type NumberOption = readonly [defaultValue: number, meaning: string]

export type WorkloadOptions<Name extends string = string> = Readonly<Record<Name, number>> & {
  readonly seed: number
  readonly variants: readonly string[]
  readonly systems: readonly string[]
}

/** A bench: what `npm run bench -- <name>` offers and runs. bench/main.ts lists them all. */
export interface Workload<Name extends string = string> {
  readonly name: string
  readonly description: string
  readonly variants: readonly string[]
  /** In the order in which they run in each round: Weir is the last. */
  readonly systems: readonly string[]
  /** `memoryBytes` is given as `--memory-bytes`. */
  readonly numbers: Readonly<Record<Name, NumberOption>>
  run(options: WorkloadOptions<Name>, log: (line: string) => void): Promise<BenchResults>
}

/** Of workloads whose values are random bytes. */
export const valueBytes: NumberOption = [100, 'bytes of a value']

export const commonNumbers = {
  runs: [2, 'rounds: every system once in each'],
  partitions: [8, 'of the input topics'],
  memoryBytes: [2 ** 31, 'WEIR_MEMORY_BYTES'],
  timeoutSeconds: [900, 'of one run'],
} as const satisfies Record<string, NumberOption>

export type CommonNumber = keyof typeof commonNumbers
