/**
 * Micro benches: `scripts/node bench/micro/main.ts [serde|cache|border|database|close ...]`. For finding out what a change costs, in one run on one machine;
 * absolute figures of different runs do not compare.
 */
import type { Bench } from 'tinybench'

const suites: Record<string, () => Promise<{ default: () => Promise<Bench> }>> = {
  serde: () => import('./serde.ts'),
  cache: () => import('./cache.ts'),
  border: () => import('./border.ts'),
  database: () => import('./database.ts'),
  close: () => import('./close.ts'),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in suites))
if (unknown.length > 0) {
  console.error(`no micro bench ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`)
  process.exit(2)
}
for (const [name, load] of Object.entries(suites)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const bench = await (await load()).default()
  await bench.run()
  console.log(name)
  console.table(
    bench.tasks.map((task) => {
      const { result } = task
      if (!('latency' in result)) return { what: task.name, state: result.state }
      return {
        what: task.name,
        'median ns': Math.round(result.latency.p50 * 1e6),
        'p99 ns': Math.round(result.latency.p99 * 1e6),
        samples: result.latency.samplesCount,
      }
    }),
  )
}
