import { setTimeout as sleep } from 'node:timers/promises'

import { freePorts } from '../../test/services/ports.ts'
import { readProcessUsage } from './process-sampler.ts'
import { runStreamWorkload, type StreamNumber, streamNumbers } from './stream-workload.ts'
import type { System } from './system.ts'
import { weir } from './weir.ts'
import { valueBytes, type Workload } from './workload.ts'

const MiB = 2 ** 20

/** What it costs to be watched: records counted by key, by a worker that somebody asks for its metrics, and by one that nobody does. */
export const scrape: Workload<StreamNumber | 'keys' | 'valueBytes' | 'scrapeIntervalMs'> = {
  name: 'scrape',
  description: 'Weir with /metrics asked for each second over Weir left alone',
  variants: ['uniform-64MiB'],
  systems: ['weir'],
  numbers: {
    records: [8_000_000, 'input records'],
    keys: [1_000_000, 'keys'],
    valueBytes,
    ...streamNumbers,
    runs: [5, 'rounds: each of the two once in each'],
    scrapeIntervalMs: [1_000, 'between two requests for /metrics'],
  },
  run(options, log) {
    const env = { WEIR_MEMORY_BYTES: String(options.memoryBytes) }
    const variant = {
      name: 'uniform-64MiB',
      settings: { keys: options.keys },
      stateCacheBytes: 64 * MiB,
      topics: [],
      loader: 'LoadTopic',
      load: { keys: options.keys, valueBytes: options.valueBytes },
      verifier: 'VerifyCounts',
      besides: [weir('bench/pipeline/count.ts', env)],
    }
    const systems = [scraped(env, options.scrapeIntervalMs, log)]
    return runStreamWorkload({ name: 'scrape', variants: [variant], systems }, options, log)
  },
}

/** Weir whose metrics are asked for as long as it runs. */
function scraped(
  env: { readonly WEIR_MEMORY_BYTES: string },
  intervalMs: number,
  log: (line: string) => void,
): System {
  const alone = weir('bench/pipeline/count.ts', env)
  return {
    ...alone,
    name: 'weir-scraped',
    describe: () => ({ ...alone.describe(), scrapeIntervalMs: intervalMs }),
    async start(options) {
      const [port = 0] = await freePorts(1)
      const process = await weir('bench/pipeline/count.ts', env, { port }).start(options)
      void scrapeToTheEnd(process.pid, `http://127.0.0.1:${port}/metrics`, intervalMs).then(
        ({ scrapes, bytes }) => log(`metrics were asked for ${scrapes} times, ${bytes} bytes each time`),
      )
      return process
    },
  }
}

/** @returns how often it has answered, and how long the last answer was */
async function scrapeToTheEnd(
  pid: number,
  url: string,
  intervalMs: number,
): Promise<{ scrapes: number; bytes: number }> {
  let scrapes = 0
  let bytes = 0
  while (readProcessUsage(pid) !== null) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
      const text = await response.text()
      if (response.ok) {
        scrapes++
        bytes = text.length
      }
    } catch {
      // It does not serve yet, or no longer.
    }
    await sleep(intervalMs)
  }
  return { scrapes, bytes }
}
