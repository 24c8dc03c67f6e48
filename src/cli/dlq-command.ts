import { pino } from 'pino'

import { adminConfig } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { WeirError } from '../errors/weir-error.ts'
import { Admin } from '../native.ts'
import { createLogger } from '../observe/logger.ts'
import { askCluster } from '../runtime/cluster-requests.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { isConfirmed } from './confirm.ts'
import { type Bounds, DeadLetterReader, type ReadRequest } from './dlq-reader.ts'
import type { DeadLetterRecord } from './dlq-record.ts'
import { executeReplay, planReplay } from './dlq-replay.ts'
import { parseSelection, type Selection, type SelectionOptions } from './dlq-selection.ts'
import { describeReplay, jsonOf, listOf, textOf } from './dlq-text.ts'
import { ProgressBar } from './progress-bar.ts'

/** How long brokers may be unreachable, and a replay's last records undelivered. */
const TIMEOUT_MS = 30_000
const REQUEST_TIMEOUT_MS = 10_000

export interface DlqOptions extends SelectionOptions {
  /** Default: WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME. */
  readonly topic?: string
  readonly json?: true
  /** Of `list` and `show`: no more than these, the first that are found. */
  readonly limit?: number
}

export interface ReplayOptions extends DlqOptions {
  readonly all?: true
  readonly execute?: true
  readonly dryRun?: true
}

/** `weir dlq list`: a line for each dead letter. @throws WeirError with one line */
export async function listDeadLetters(options: DlqOptions): Promise<void> {
  await withTopic(options, async (session) => {
    const { letters, isMore } = await session.some(options.limit)
    if (options.json === true)
      print(
        JSON.stringify(
          letters.map((letter) => jsonOf(letter, null)),
          null,
          2,
        ),
      )
    else print(listOf(session.request.topic, letters, isMore))
  })
}

/**
 * `weir dlq show`: dead letters as a whole, decoded.
 *
 * @param modulePath the topology whose serdes read them; null: as text, or as bytes
 */
export async function showDeadLetters(modulePath: string | null, options: DlqOptions): Promise<void> {
  await withTopic(options, async (session) => {
    const { config } = session.request
    const topology: TopologyDefinition | null =
      modulePath === null ? null : await loadTopology(moduleUrlOf(modulePath), config.topologyOptimization)
    const decoding = topology === null ? null : { topology, applicationId: config.applicationId }
    const { letters, isMore } = await session.some(options.limit)
    if (options.json === true) {
      print(
        JSON.stringify(
          letters.map((letter) => jsonOf(letter, decoding)),
          null,
          2,
        ),
      )
      return
    }
    if (letters.length === 0) print(`${session.request.topic}: no such record`)
    for (const letter of letters) print(`${textOf(letter, decoding)}\n`)
    if (isMore) print('There are more; --limit shows them.')
  })
}

/**
 * `weir dlq replay`: dead letters go back to where they came from. Prints what is going to be done, and does it when it is told to: by
 * --execute, or by a yes on a terminal.
 */
export async function replayDeadLetters(options: ReplayOptions): Promise<void> {
  const { records, source, exception, all } = options
  if (records === undefined && source === undefined && exception === undefined && all !== true)
    throw new WeirError('config-invalid', 'dlq replay: say which: --records, --source, --exception or --all')
  await withTopic(options, async (session) => {
    const { request, selection, partitionsOf } = session
    const bounds = await session.bounds()
    const plan = await planReplay(session.readWithBar(bounds), request.topic, partitionsOf)
    const json = options.json === true
    if (!json) print(`${describeReplay(plan)}\n`)
    const isAsked = options.dryRun !== true && !json && plan.targets.length > 0
    const isExecuted =
      options.execute === true || (isAsked && (await isConfirmed('Write them back to their topics?')))
    const replay = async (): Promise<number> => {
      using bar = new ProgressBar('Writing back', sumOf(plan.targets.map(({ records }) => records)))
      return await executeReplay(request, selection, bounds, partitionsOf, () => bar.add())
    }
    const written = isExecuted ? await replay() : 0
    if (json) print(JSON.stringify({ ...plan, isExecuted, written }, null, 2))
    else print(isExecuted ? `${written} records were written.` : 'Nothing was written; --execute does it.')
  })
}

/** A dead-letter topic that exists, and what is asked for of it. */
class DlqSession {
  readonly request: ReadRequest
  readonly selection: Selection
  /** Of every topic of the cluster. */
  readonly partitionsOf: ReadonlyMap<string, number>
  readonly #reader: DeadLetterReader

  constructor(
    request: ReadRequest,
    selection: Selection,
    partitionsOf: ReadonlyMap<string, number>,
    reader: DeadLetterReader,
  ) {
    this.request = request
    this.selection = selection
    this.partitionsOf = partitionsOf
    this.#reader = reader
  }

  bounds(): Promise<Bounds> {
    return this.#reader.bounds(this.selection)
  }

  read(bounds: Bounds): AsyncGenerator<DeadLetterRecord> {
    return this.#reader.read(this.selection, bounds)
  }

  /** As `read`, with a bar of what was found among what there is. */
  async *readWithBar(bounds: Bounds): AsyncGenerator<DeadLetterRecord> {
    using bar = new ProgressBar('Reading', sumOf([...bounds.values()].map(({ from, end }) => end - from)))
    for await (const letter of this.read(bounds)) {
      bar.add()
      yield letter
    }
  }

  async some(limit = 100): Promise<{ letters: DeadLetterRecord[]; isMore: boolean }> {
    const letters: DeadLetterRecord[] = []
    for await (const letter of this.read(await this.bounds())) {
      if (letters.length === limit) return { letters, isMore: true }
      letters.push(letter)
    }
    return { letters, isMore: false }
  }
}

async function withTopic(options: DlqOptions, run: (session: DlqSession) => Promise<void>): Promise<void> {
  const selection = parseSelection(options)
  const config = loadConfig()
  const topic = topicOf(config, options)
  await using resources = new AsyncDisposableStack()
  const admin = new Admin(adminConfig(config))
  resources.defer(() => admin.close())
  const asking = {
    config,
    // Standard output is the answer's.
    logger: createLogger(config, pino.destination({ dest: 2, sync: true })),
    signal: new AbortController().signal,
    timeoutMs: TIMEOUT_MS,
  }
  const topics = await askCluster('listing topics', asking, () => admin.listTopics(REQUEST_TIMEOUT_MS))
  const partitionsOf = new Map(topics.map(({ name, partitions }) => [name, partitions]))
  const partitions = partitionsOf.get(topic)
  if (partitions === undefined)
    throw new WeirError('topic-missing', `dead-letter topic ${topic} does not exist`)
  const request = { ...asking, topic, partitions }
  const reader = resources.use(new DeadLetterReader(request))
  await run(new DlqSession(request, selection, partitionsOf, reader))
}

function topicOf(config: Config, { topic }: DlqOptions): string {
  const name = topic ?? config.errorsDeadLetterQueueTopicName
  if (name !== null) return name
  const what = 'no dead-letter topic is named: give --topic, or set WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME'
  throw new WeirError('config-invalid', what)
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
