import { defineTopology, type KeyValueStore, type Processor, serdes, stores } from '../../src/index.ts'

/**
 * A store that is only restored and read: the workload `restore` of the benches. When every task has its state, each task in turn reads
 * rounds of random keys of its partition, and says what a round took; then it says what it holds. bench/README.md has the events.
 */
const partitions = number('WEIR_BENCH_PARTITIONS')
const keys = number('WEIR_BENCH_KEYS')
const rounds = number('WEIR_BENCH_ROUNDS')
const readsPerRound = number('WEIR_BENCH_READS_PER_ROUND')

let readyTasks = 0

function reader(): Processor<string, Uint8Array> {
  return {
    init(context) {
      const store = context.stateStore<KeyValueStore<string, Uint8Array>>('rows')
      const { partition } = context
      const keysHere = Math.ceil((keys - partition) / partitions)
      let left = rounds
      readyTasks++
      if (readyTasks === partitions) say('ready', { atMs: Date.now() })
      const schedule = context.schedule({ intervalMs: 10, type: 'wall-clock-time' }, () => {
        if (readyTasks < partitions) return
        if (left === 0) {
          say('rows', contentsOf(store))
          schedule.cancel()
          return
        }
        left--
        const names = Array.from({ length: readsPerRound }, () =>
          userKey(partition + partitions * Math.floor(Math.random() * keysHere)),
        )
        const atMs = Date.now()
        const start = performance.now()
        let found = 0
        for (const name of names) if (store.get(name) !== null) found++
        say('reads', { partition, atMs, micros: Math.round((performance.now() - start) * 1_000), found })
      })
    },
    process() {},
  }
}

export default defineTopology((builder) => {
  builder.addStateStore(stores.keyValue({ name: 'rows', key: serdes.string, value: serdes.bytes }))
  builder
    .stream(process.env.WEIR_BENCH_INPUT_TOPIC ?? '', { key: serdes.string, value: serdes.bytes })
    .process(reader, { stores: ['rows'] })
})

/** Rows, and the sum of the record numbers that their values begin with. */
function contentsOf(store: KeyValueStore<string, Uint8Array>): { rows: number; sum: number } {
  let rows = 0
  let sum = 0
  using all = store.all()
  for (const { value } of all) {
    rows++
    sum += new DataView(value.buffer, value.byteOffset).getUint32(0)
  }
  return { rows, sum }
}

function userKey(user: number): string {
  return `user-${String(user).padStart(10, '0')}`
}

function say(event: string, data: Record<string, number>): void {
  console.log(JSON.stringify({ event, ...data }))
}

function number(variable: string): number {
  const value = Number(process.env[variable])
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${variable} is not set`)
  return value
}
