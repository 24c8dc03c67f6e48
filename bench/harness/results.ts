import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** One measured run. Null is a figure that the workload does not have. */
export interface RunResult {
  variant: string
  system: string
  /** Which round of the bench it belongs to, from 1: systems are compared within a round. */
  round: number
  recordsPerSecond: number
  recordsPerCpuSecond: number
  brokerCpuSeconds: number
  peakRssBytes: number
  diskBytesWritten: number
  outputsPerInput: number
  p50Ms: number | null
  p99Ms: number | null
  p999Ms: number | null
  firstRecordMs: number | null
}

/** Ours over the peer's: the median of the rounds' ratios. */
export interface Ratio {
  variant: string
  /** Which of our set-ups. */
  system: string
  peer: string
  /** The peer's set-up that did the most records per CPU-second. */
  peerSystem: string
  recordsPerSecond: number
  recordsPerCpuSecond: number
  peakRssBytes: number
  p99Ms: number | null
}

export interface BenchResults {
  workload: string
  machine: Record<string, unknown>
  versions: Record<string, string>
  settings: Record<string, unknown>
  runs: RunResult[]
  ratios: Ratio[]
}

/**
 * Compares each of our set-ups with each peer, variant by variant. A peer that was run in several set-ups is compared in the one whose median of records per
 * CPU-second is the highest. Rounds in which one of the two is missing do not count; without any there is no ratio.
 *
 * @param familyOf which peer a system is a set-up of
 * @param ours our set-ups; every other system is a peer, Weir in yet another set-up too
 */
export function computeRatios(
  runs: readonly RunResult[],
  familyOf: (system: string) => string,
  ours: readonly string[] = ['weir'],
): Ratio[] {
  const ratios: Ratio[] = []
  for (const [variant, ofVariant] of Map.groupBy(runs, (run) => run.variant)) {
    const bySystem = Map.groupBy(ofVariant, (run) => run.system)
    const peers = [...bySystem].filter(([system]) => !ours.includes(system))
    for (const [peer, setups] of Map.groupBy(peers, ([system]) => familyOf(system))) {
      const speed = ([, of]: (typeof setups)[number]) => median(of.map((run) => run.recordsPerCpuSecond))
      const [peerSystem, peerRuns] = setups.reduce((best, setup) =>
        speed(setup) > speed(best) ? setup : best,
      )
      for (const system of ours) {
        const figures = compare(bySystem.get(system) ?? [], peerRuns)
        if (figures !== null) ratios.push({ variant, system, peer, peerSystem, ...figures })
      }
    }
  }
  return ratios
}

/** Null when no round has both. */
function compare(
  ourRuns: readonly RunResult[],
  peerRuns: readonly RunResult[],
): Pick<Ratio, 'recordsPerSecond' | 'recordsPerCpuSecond' | 'peakRssBytes' | 'p99Ms'> | null {
  const pairs = ourRuns.flatMap((our) => {
    const their = peerRuns.find((run) => run.round === our.round)
    return their ? [{ our, their }] : []
  })
  if (pairs.length === 0) return null
  const ratioOf = (figure: 'recordsPerSecond' | 'recordsPerCpuSecond' | 'peakRssBytes') =>
    round(median(pairs.map(({ our, their }) => our[figure] / their[figure])), 3)
  const latencies = pairs.flatMap(({ our, their }) =>
    our.p99Ms === null || their.p99Ms === null ? [] : [our.p99Ms / their.p99Ms],
  )
  return {
    recordsPerSecond: ratioOf('recordsPerSecond'),
    recordsPerCpuSecond: ratioOf('recordsPerCpuSecond'),
    peakRssBytes: ratioOf('peakRssBytes'),
    p99Ms: latencies.length > 0 ? round(median(latencies), 3) : null,
  }
}

/** Of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('the median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits))
}

export function writeResults(file: string, results: object): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}
