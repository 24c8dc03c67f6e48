/** Micro benches, for finding out what a change costs, in one run on one machine; absolute figures of different runs do not compare. */
import type { Bench, Task } from 'tinybench'

interface Suite {
  /** @param resources ended after the suite, the last one first, before the next suite makes its own: a process has one StateMemory */
  readonly default: (resources: AsyncDisposableStack) => Promise<Bench>
  /** What follows from the figures, as lines. */
  readonly findings?: (medianNs: (task: string) => number) => string[]
}

const suites: Record<string, () => Promise<Suite>> = {
  serde: () => import('./serde.ts'),
  avro: () => import('./avro.ts'),
  cache: () => import('./cache.ts'),
  border: () => import('./border.ts'),
  database: () => import('./database.ts'),
  scan: () => import('./scan.ts'),
  close: () => import('./close.ts'),
  operators: () => import('./operators.ts'),
}

export const microBenches: readonly string[] = Object.keys(suites)

/** @param wanted of `microBenches`; none for all */
export async function runMicroBenches(wanted: readonly string[]): Promise<void> {
  for (const [name, load] of Object.entries(suites)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const { default: makeBench, findings } = await load()
    await using resources = new AsyncDisposableStack()
    const bench = await makeBench(resources)
    await bench.run()
    console.log(name)
    console.table(bench.tasks.map(row))
    const medianNs = (task: string): number => medianOf(bench.tasks.find((one) => one.name === task)!)
    for (const line of findings?.(medianNs) ?? []) console.log(line)
  }
}

function row(task: Task): Record<string, string | number> {
  const { result } = task
  if (!('latency' in result)) return { what: task.name, state: result.state }
  return {
    what: task.name,
    'median ns': Math.round(result.latency.p50 * 1e6),
    'p99 ns': Math.round(result.latency.p99 * 1e6),
    samples: result.latency.samplesCount,
  }
}

function medianOf({ name, result }: Task): number {
  if (!('latency' in result)) throw new Error(`${name}: ${result.state}`)
  return result.latency.p50 * 1e6
}
