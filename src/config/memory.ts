import type { MemoryBudget } from './config.ts'
import { ConfigError } from './config-error.ts'
import { formatBytes } from './value-type.ts'

const MiB = 2 ** 20

/** The parts that add up to WEIR_MEMORY_BYTES. The write buffers are no part of their own: they are charged to the block cache. */
type Part = Exclude<keyof MemoryBudget, 'writeBufferBytes' | 'heapBytesPerThread'> | 'heapBytes'

interface PartOfMemory {
  readonly name: string
  readonly percent: number
  readonly leastBytes: number
  readonly leastBytesPerThread: number
  readonly meaning: string
}

/**
 * Each part's share in per cent and its least size. The shares suit a stateful application whose keys do not fit into memory: more than
 * half for state (blocks, decoded values, changes), a seventh for what is on its way, and the rest for what no budget can count.
 */
const parts: Readonly<Record<Part, PartOfMemory>> = {
  blockCacheBytes: {
    name: 'block cache',
    percent: 30,
    leastBytes: 64 * MiB,
    leastBytesPerThread: 0,
    meaning: "RocksDB's blocks, indexes and filters; half of it may be write buffers",
  },
  stateCacheBytes: {
    name: 'state cache',
    percent: 16,
    leastBytes: 8 * MiB,
    leastBytesPerThread: 0,
    meaning: 'decoded values of all stores',
  },
  overlayBytes: {
    name: 'overlays',
    percent: 8,
    leastBytes: 16 * MiB,
    leastBytesPerThread: 0,
    meaning: 'changes since the last commit, rows that RocksDB gets later, and restores',
  },
  fetchQueueBytes: {
    name: 'fetch queues',
    percent: 7,
    leastBytes: 16 * MiB,
    leastBytesPerThread: 0,
    meaning: 'records fetched and not yet read',
  },
  producerQueueBytes: {
    name: 'producer queues',
    percent: 7,
    leastBytes: 0,
    leastBytesPerThread: 12 * MiB,
    meaning: 'records produced and not yet delivered',
  },
  heapBytes: {
    name: 'heaps',
    percent: 14,
    leastBytes: 0,
    leastBytesPerThread: 40 * MiB,
    meaning: "the stream threads' JavaScript heaps besides the state cache",
  },
  reserveBytes: {
    name: 'reserve',
    percent: 18,
    leastBytes: 96 * MiB,
    leastBytesPerThread: 0,
    meaning: 'code, stacks, batches being processed, writes of a commit, fragmentation',
  },
}

/** The shares, in the order of the documentation. */
export const memoryParts: readonly PartOfMemory[] = Object.values(parts)

/** How much of the block cache write buffers may take: half of the block cache, and never more than three quarters. */
const writeBufferShare = 1 / 2
const writeBufferShareMax = 3 / 4

export const memoryBytesMin = 512 * MiB

/** What a process without a control group's limit takes. */
const memoryBytesWithoutLimit = 2048 * MiB

export interface MemoryOverrides {
  readonly stateCacheBytes: number | null
  readonly blockCacheBytes: number | null
  readonly writeBufferBytes: number | null
}

/** WEIR_MEMORY_BYTES when it is not set: 80 % of the control group's limit, else 2 GiB, and never more than the machine has. */
export function defaultMemoryBytes(machine: {
  readonly memoryLimitBytes: number | null
  readonly memoryBytes: number
}): number {
  const wanted = machine.memoryLimitBytes === null ? memoryBytesWithoutLimit : machine.memoryLimitBytes
  return Math.max(
    memoryBytesMin,
    Math.floor(Math.min(wanted, machine.memoryBytes) * (machine.memoryLimitBytes === null ? 1 : 0.8)),
  )
}

function leastBytes(part: Part, threads: number): number {
  return parts[part].leastBytes + parts[part].leastBytesPerThread * threads
}

/** How many stream threads the memory holds with every part at its least. */
export function threadsThatFit(memoryBytes: number): number {
  const names = Object.keys(parts) as Part[]
  const fixed = names.reduce((sum, part) => sum + parts[part].leastBytes, 0)
  const perThread = names.reduce((sum, part) => sum + parts[part].leastBytesPerThread, 0)
  return Math.max(1, Math.floor((memoryBytes - fixed) / perThread))
}

/** What one task needs whatever its load: an arena block for a few memtables, and room for one small fetch. */
const writeBufferBytesPerTask = MiB / 2
const fetchQueueBytesPerTask = MiB / 8

/** How many tasks the budget holds. */
export function tasksThatFit(budget: MemoryBudget): number {
  return Math.floor(
    Math.min(
      budget.writeBufferBytes / writeBufferBytesPerTask,
      budget.fetchQueueBytes / fetchQueueBytesPerTask,
    ),
  )
}

/**
 * Divides `memoryBytes`. What was set explicitly is taken first; the other parts share the rest in proportion, none below its least.
 *
 * @throws ConfigError when they do not fit
 */
export function divideMemory(memoryBytes: number, threads: number, overrides: MemoryOverrides): MemoryBudget {
  const fixed = new Map<Part, number>()
  if (overrides.blockCacheBytes !== null) fixed.set('blockCacheBytes', overrides.blockCacheBytes)
  if (overrides.stateCacheBytes !== null) fixed.set('stateCacheBytes', overrides.stateCacheBytes)
  const least = (part: Part): number => {
    const ofBuffers =
      part === 'blockCacheBytes' ? Math.ceil((overrides.writeBufferBytes ?? 0) / writeBufferShareMax) : 0
    return Math.max(leastBytes(part, threads), ofBuffers)
  }

  const names = Object.keys(parts) as Part[]
  const needed = names.reduce((sum, part) => sum + (fixed.get(part) ?? least(part)), 0)
  if (needed > memoryBytes) throw new ConfigError([doesNotFit(memoryBytes, needed, threads, overrides)])

  // A part whose share is below its least gets its least, which makes the others' shares smaller: repeated until none is.
  for (;;) {
    const open = names.filter((part) => !fixed.has(part))
    const rest = memoryBytes - [...fixed.values()].reduce((sum, size) => sum + size, 0)
    const percents = open.reduce((sum, part) => sum + parts[part].percent, 0)
    const share = (part: Part): number => Math.floor((rest * parts[part].percent) / percents)
    const tooSmall = open.filter((part) => share(part) < least(part))
    if (tooSmall.length === 0) {
      for (const part of open) fixed.set(part, share(part))
      break
    }
    for (const part of tooSmall) fixed.set(part, least(part))
  }

  const size = (part: Part): number => fixed.get(part) ?? 0
  const blockCacheBytes = size('blockCacheBytes')
  const writeBufferBytes = overrides.writeBufferBytes ?? Math.floor(blockCacheBytes * writeBufferShare)
  if (writeBufferBytes > blockCacheBytes * writeBufferShareMax) {
    throw new ConfigError([
      `WEIR_ROCKSDB_WRITE_BUFFER_BYTES=${writeBufferBytes}: at most three quarters of WEIR_ROCKSDB_BLOCK_CACHE_BYTES ` +
        `(${blockCacheBytes}), to which write buffers are charged`,
    ])
  }
  return {
    blockCacheBytes,
    writeBufferBytes,
    stateCacheBytes: size('stateCacheBytes'),
    overlayBytes: size('overlayBytes'),
    fetchQueueBytes: size('fetchQueueBytes'),
    producerQueueBytes: size('producerQueueBytes'),
    heapBytesPerThread: Math.floor(size('heapBytes') / threads),
    reserveBytes: size('reserveBytes'),
  }
}

function doesNotFit(
  memoryBytes: number,
  needed: number,
  threads: number,
  overrides: MemoryOverrides,
): string {
  const set = [
    ['WEIR_STATESTORE_CACHE_MAX_BYTES', overrides.stateCacheBytes],
    ['WEIR_ROCKSDB_BLOCK_CACHE_BYTES', overrides.blockCacheBytes],
    ['WEIR_ROCKSDB_WRITE_BUFFER_BYTES', overrides.writeBufferBytes],
  ] as const
  const given = set.filter(([, value]) => value !== null).map(([name, value]) => `${name}=${value}`)
  const from = [
    `${threads} stream threads (WEIR_NUM_STREAM_THREADS, WEIR_STREAM_THREADS_MAX)`,
    ...given,
  ].join(', ')
  return `WEIR_MEMORY_BYTES=${memoryBytes}: too little for ${from}, which needs at least ${needed} (${formatBytes(needed)})`
}

/** The breakdown for a log line. */
export function describeMemory(memoryBytes: number, budget: MemoryBudget): Record<string, string> {
  const sizes = Object.entries(budget).map(
    ([part, size]) => [part.replace('Bytes', ''), formatBytes(size)] as const,
  )
  return { total: formatBytes(memoryBytes), ...Object.fromEntries(sizes) }
}
