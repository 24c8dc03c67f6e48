import { Random } from '../support/seed.ts'

/** What can befall a worker, a broker, or the connections between them. */
export const faultKinds = [
  /** SIGKILL; started again after a while. */
  'worker-kill',
  /** The same, and its state folder is gone when it is started again. */
  'worker-kill-delete-state',
  /** SIGTERM; started again after a while. */
  'worker-stop',
  /** SIGSTOP for longer than the session timeout, then SIGCONT: its tasks are somebody else's by then. */
  'worker-pause',
  /** Nothing more can be written to its state folder for a while. */
  'disk-full',
  /** SIGKILL; started again after a while. */
  'broker-kill',
  /** SIGTERM: its partitions move first. */
  'broker-stop',
  /** SIGSTOP for a while. */
  'broker-pause',
  /** A worker's connections to one broker or to all are reset, and refused for a while. */
  'link-cut',
  /** They stay, and nothing passes. */
  'link-stall',
  /** Requests arrive, answers do not: their outcome is unknown to the worker. Then the connections are reset. */
  'link-deaf',
  /** Everything arrives later. */
  'link-slow',
  /** What other brokers say to one, and hear of it, arrives later: replicas and the ends of transactions come late. */
  'peers-slow',
  /** Transactions end late in the partitions of one broker: they are committed, and what reads up to the last stable offset does not see it yet. */
  'markers-late',
  /** Cassandra: SIGKILL; started again after a while. */
  'cassandra-kill',
  /** SIGSTOP for a while: requests are answered late, also those of processes that have ended meanwhile. */
  'cassandra-pause',
  /** A worker's connections to Cassandra are reset, and refused for a while. */
  'cassandra-cut',
  /** They stay, and nothing passes for a while: its rows come late. */
  'cassandra-stall',
  /** Requests arrive, answers do not. Then the connections are reset. */
  'cassandra-deaf',
] as const

export type FaultKind = (typeof faultKinds)[number]

/** What befalls an application of which no kinds are asked for: the others came later, and a seed is to go on meaning the same schedule. */
export const usualKinds: readonly FaultKind[] = faultKinds.filter(
  (kind) => kind !== 'markers-late' && !isOfCassandra(kind),
)
/** The same, of one with tiered stores. */
const tieredKinds: readonly FaultKind[] = faultKinds.filter((kind) => kind !== 'markers-late')
/** Under which tiered stores run. */
const tieredGuarantees = ['at_least_once', 'exactly_once_v2'] as const

export interface Fault {
  readonly kind: FaultKind
  /** From the load's begin. */
  readonly atMs: number
  /** Until it is undone: a process started again, a link opened. */
  readonly forMs: number
  readonly worker: number
  /** null: all of them. */
  readonly broker: number | null
  /** Of what is slow. */
  readonly latencyMs: number
}

/** One schedule. Everything in it follows from the seed. */
export interface SchedulePlan {
  readonly seed: number
  readonly guarantee: 'at_least_once' | 'exactly_once_v2'
  readonly protocol: 'classic' | 'consumer'
  /** Members with a group.instance.id. */
  readonly isStatic: boolean
  readonly workers: number
  readonly threads: number
  readonly partitions: number
  readonly commitIntervalMs: number
  readonly transactionTimeoutMs: number
  readonly stores: 'persistent' | 'memory' | 'tiered'
  /** What a task keeps of a tiered store on its disk, and of all stores in its cache. */
  readonly tierBytes: { readonly local: number; readonly cache: number } | null
  /** Until a database is flushed: without a write-ahead log that is what a killed process leaves on the disk. */
  readonly flushEveryRecords: number
  readonly keys: number
  readonly recordsPerSecond: number
  readonly loadMs: number
  readonly faults: readonly Fault[]
}

export interface PlanOptions {
  /** Default: either. */
  readonly guarantee?: SchedulePlan['guarantee'] | undefined
  /** Default: on disk or in memory. */
  readonly stores?: SchedulePlan['stores'] | undefined
  /** Default: the usual ones. */
  readonly kinds?: readonly FaultKind[] | undefined
  /** Default 12,000; with tiered stores 7,000: it goes on until Cassandra has started again. */
  readonly loadMs?: number | undefined
  /** Default 4. */
  readonly workersMax?: number | undefined
  /** Default 5,000: a member that is cut off has lost its tasks by then. In less time transactions time out whose tasks stay. */
  readonly transactionTimeoutMs?: number | undefined
}

/** What has the same plan made again, besides the seed. */
export function planArguments(options: PlanOptions): string {
  const { guarantee, stores, kinds, loadMs, workersMax, transactionTimeoutMs } = options
  const given = {
    guarantee,
    stores,
    kinds: kinds?.join(),
    'load-ms': loadMs,
    'workers-max': workersMax,
    'transaction-timeout-ms': transactionTimeoutMs,
  }
  return Object.entries(given)
    .flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${value}`]))
    .join('')
}

export const WORKERS_MAX = 4
export const BROKERS = 3
/** Of members and, beyond it, of transactions: how long a paused or cut-off worker keeps its tasks. */
export const SESSION_TIMEOUT_MS = 3_000

const isRoot = process.getuid?.() === 0

export function planSchedule(seed: number, options: PlanOptions = {}): SchedulePlan {
  const random = new Random(seed)
  const isTiered = options.stores === 'tiered'
  const {
    loadMs = isTiered ? 7_000 : 12_000,
    workersMax = WORKERS_MAX,
    transactionTimeoutMs = 5_000,
  } = options
  const workers = 2 + random.below(workersMax - 1)
  const guarantee = random.pick(['at_least_once', 'exactly_once_v2', 'exactly_once_v2'] as const)
  const drawn = {
    seed,
    guarantee: options.guarantee ?? guarantee,
    protocol: random.pick(['classic', 'consumer'] as const),
    isStatic: random.below(3) === 0,
    workers,
    threads: 1 + random.below(2),
    partitions: 4 + random.below(3),
    commitIntervalMs: random.pick([50, 100, 300, 1_000]),
    transactionTimeoutMs,
    stores: random.pick(['persistent', 'persistent', 'persistent', 'memory'] as const),
    flushEveryRecords: random.pick([50, 500, 5_000, 1_000_000]),
    keys: random.pick([20, 100, 500]),
    recordsPerSecond: random.pick([200, 500, 800]),
    loadMs,
    tierBytes: null,
  }
  const plan: Omit<SchedulePlan, 'faults'> = isTiered
    ? { ...drawn, ...planTiers(random), guarantee: options.guarantee ?? random.pick(tieredGuarantees) }
    : { ...drawn, stores: options.stores ?? drawn.stores }
  // Mounting a small file system takes a superuser.
  const kinds = kindsOf(options).filter((kind) => kind !== 'disk-full' || isRoot)
  const faults: Fault[] = []
  // Once in each schedule: it takes as long as some schedules.
  if (kinds.includes('cassandra-kill'))
    faults.push(fault('cassandra-kill', random.below(loadMs / 3), workers, random))
  let atMs = 1_000 + random.below(Math.min(2_000, loadMs / 4))
  const brokerKinds = kinds.filter(isOfBroker)
  const otherKinds = kinds.filter((kind) => !isOfBroker(kind) && kind !== 'cassandra-kill')
  // One broker at a time: with two away nothing could be written.
  let brokerFaults = 1
  while (atMs < loadMs) {
    const fromBroker = brokerFaults > 0 && brokerKinds.length > 0 && random.below(3) === 0
    if (!fromBroker && otherKinds.length === 0) break
    if (fromBroker) brokerFaults--
    faults.push(fault(random.pick(fromBroker ? brokerKinds : otherKinds), atMs, workers, random))
    // Many meet each other, or what the last one has set going.
    atMs += random.below(5) < 2 ? random.below(400) : 1_000 + random.below(4_000)
  }
  return { ...plan, faults }
}

/** Keys that come seldom, so that rows which are wrong stay so, and more than a task keeps here. */
function planTiers(random: Random): Pick<SchedulePlan, 'stores' | 'tierBytes' | 'keys'> {
  return {
    stores: 'tiered',
    tierBytes: { local: random.pick([0, 20_000, 100_000]), cache: random.pick([0, 10_000, 1_000_000]) },
    keys: random.pick([100, 500, 2_000]),
  }
}

/** What befalls an application. */
export function kindsOf({ kinds, stores }: PlanOptions): readonly FaultKind[] {
  return kinds ?? (stores === 'tiered' ? tieredKinds : usualKinds)
}

/** Whether it befalls all workers. */
export function isOfAll(kind: FaultKind): boolean {
  return isOfBroker(kind) || kind === 'cassandra-kill' || kind === 'cassandra-pause'
}

export function isOfCassandra(kind: FaultKind): boolean {
  return kind.startsWith('cassandra-')
}

export function isOfBroker(kind: FaultKind): boolean {
  return kind.startsWith('broker-') || kind === 'peers-slow' || kind === 'markers-late'
}

function fault(kind: FaultKind, atMs: number, workers: number, random: Random): Fault {
  const durations: Record<FaultKind, number> = {
    'worker-kill': random.pick([0, 500, SESSION_TIMEOUT_MS + 1_000]),
    'worker-kill-delete-state': random.pick([0, 500, SESSION_TIMEOUT_MS + 1_000]),
    'worker-stop': random.pick([0, 500, SESSION_TIMEOUT_MS + 1_000]),
    'worker-pause': SESSION_TIMEOUT_MS + 500 + random.below(3_000),
    'disk-full': 3_000,
    'broker-kill': random.below(3_000),
    'broker-stop': random.below(2_000),
    'broker-pause': 300 + random.below(4_000),
    'link-cut': random.pick([0, 300, 2_000, SESSION_TIMEOUT_MS + 2_000]),
    'link-stall': random.pick([300, 2_000, SESSION_TIMEOUT_MS + 2_000]),
    'link-deaf': random.pick([100, 500, 2_000, SESSION_TIMEOUT_MS + 2_000]),
    'link-slow': 2_000 + random.below(3_000),
    'peers-slow': 2_000 + random.below(3_000),
    // Not random: a seed goes on meaning the same schedule.
    'markers-late': 10_000,
    // Its start takes longer than a session.
    'cassandra-kill': 500,
    'cassandra-pause': 2_000,
    'cassandra-cut': 1_000,
    'cassandra-stall': 2_000,
    'cassandra-deaf': 1_000,
  }
  const isLink = kind.startsWith('link-')
  const planned = {
    kind,
    atMs,
    forMs: durations[kind],
    worker: random.below(workers),
    broker: isLink && random.below(2) === 0 ? null : random.below(BROKERS),
    latencyMs: random.pick([20, 100, 300]),
  }
  // As long as a member's session and longer, so that others have its tasks when its rows come.
  if (isOfCassandra(kind) && kind !== 'cassandra-kill')
    return { ...planned, forMs: random.pick([planned.forMs, SESSION_TIMEOUT_MS + random.below(4_000)]) }
  // Longer than a task takes from its last commit in one process to its restore in another that has just been started.
  return kind === 'markers-late' ? { ...planned, latencyMs: 3_000 } : planned
}

/** One line: what a schedule is. */
export function describePlan(plan: SchedulePlan): string {
  const { guarantee, protocol, isStatic, workers, threads, partitions, commitIntervalMs, faults } = plan
  const { stores, tierBytes, keys } = plan
  const what = `${guarantee} ${protocol}${isStatic ? ' static' : ''}, ${workers} workers of ${threads}, ${partitions} partitions`
  const told = faults.map(
    ({ kind, atMs, forMs, worker, broker }) =>
      `${kind} ${whom({ kind, worker, broker })}at ${atMs} for ${forMs}`,
  )
  const tiers =
    tierBytes === null ? '' : ` of ${tierBytes.local} bytes, cache ${tierBytes.cache}, ${keys} keys`
  return `${what}, commit ${commitIntervalMs} ms, ${stores} stores${tiers}; ${told.join('; ')}`
}

function whom({ kind, worker, broker }: Pick<Fault, 'kind' | 'worker' | 'broker'>): string {
  if (isOfBroker(kind)) return `b${broker} `
  if (isOfAll(kind)) return ''
  return kind.startsWith('link') ? `w${worker}-b${broker ?? '*'} ` : `w${worker} `
}
