import { chownSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { forEachRecord, produceAll, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type MetricSample, parseSamples } from '../../src/observe/parse-metrics.ts'
import { answersOk } from '../../test/services/http.ts'
import { startKafka } from '../../test/services/kafka.ts'
import { createTopics } from '../../test/services/kafka-client.ts'
import { freePorts } from '../../test/services/ports.ts'
import type { Checks } from './checks.ts'
import { Container, type ContainerOptions, childrenOf, runInImage, statusOf } from './container.ts'
import type { ImageConfig } from './image.ts'

export interface WordCountFigures {
  readonly lines: number
  readonly words: number
  readonly distinctWords: number
  /** Of the first start, from the container's begin. */
  readonly healthyMs: number
  readonly runningMs: number
  /** Of the second, on a volume with state and compiled code. */
  readonly runningAgainMs: number
  /** Of the first half of the lines, committed. */
  readonly linesPerSecond: number
  readonly stopMs: number
  readonly restoredRecords: number
  readonly peakResidentKiB: number
  /** Labels of weir_build_info. */
  readonly versions: Readonly<Record<string, string>>
}

const APPLICATION_ID = 'word-count'
const PARTITIONS = 4
const LINES = 200_000
const WORDS_IN_LINE = 8
const VOCABULARY = 20_000

/** `weir run` on a real broker, as the image's user, on a read-only root: twice, with one volume. */
export async function tryWordCount(
  image: ImageConfig,
  rootfs: string,
  work: string,
  checks: Checks,
): Promise<WordCountFigures> {
  const volume = join(work, 'volume')
  rmSync(volume, { recursive: true, force: true })
  mkdirSync(volume)
  const [user, group] = image.User.split(':').map(Number) as [number, number]
  chownSync(volume, user, group)

  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  await createTopics(bootstrapServers, [
    { topic: 'lines', partitions: PARTITIONS },
    { topic: 'word-counts', partitions: PARTITIONS },
  ])
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}`
  const container: ContainerOptions = {
    rootfs,
    image,
    args: ['run', '/app/topology/word-count.ts'],
    env: {
      WEIR_APPLICATION_ID: APPLICATION_ID,
      WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
      WEIR_COMMIT_INTERVAL_MS: '1000',
      WEIR_MEMORY_BYTES: '1GiB',
      WEIR_GROUP_INSTANCE_ID: 'weir-0',
      WEIR_HTTP_HOST: '127.0.0.1',
      WEIR_HTTP_PORT: String(port),
    },
    mounts: [
      { source: volume, target: Object.keys(image.Volumes)[0]!, readOnly: false },
      {
        source: resolve(import.meta.dirname, '../../deploy/topology'),
        target: '/app/topology',
        readOnly: true,
      },
    ],
  }
  const load = new WordLoad()
  const committed = (): Promise<void> =>
    waitUntilConsumed(bootstrapServers, APPLICATION_ID, [
      'lines',
      `${APPLICATION_ID}-word-counts-repartition`,
    ])
  /** The last that the output topic has of each word. */
  const counts = async (): Promise<Record<string, number>> => {
    const last: Record<string, number> = {}
    await forEachRecord(bootstrapServers, 'word-counts', ({ key, value }) => {
      last[key!.toString()] = Number(value!.readBigInt64BE())
    })
    return last
  }
  const healthCheck = async (): Promise<number | null> => {
    const { code } = await runInImage({
      ...container,
      args: [],
      entrypoint: image.Healthcheck!.Test.slice(1),
    })
    return code
  }

  await produceAll(bootstrapServers, load.lines(LINES / 2))
  await using first = new Container(container)
  const healthyMs = await first.until('/healthz', () => answersOk(`${url}/healthz`, 5_000))
  const runningMs = await first.until('/readyz', () => answersOk(`${url}/readyz`, 5_000))
  await committed()
  const linesPerSecond = LINES / 2 / ((performance.now() - first.startedMs - runningMs) / 1_000)
  checks.equal(
    'every word of the first half of the lines is counted as an independent count has it',
    await counts(),
    load.counts,
  )
  const node = childrenOf(first.process1!)[0]!
  checks.equal(
    "the worker runs as the image's user and group",
    [statusOf(node, 'Uid'), statusOf(node, 'Gid')],
    [user, group].map((id) => [id, id, id, id].join('\t')),
  )
  checks.equal('it has no capability', /^0+$/.test(statusOf(node, 'CapEff')), true)
  checks.equal('the health check succeeds while it runs', await healthCheck(), 0)
  const versions = (await samplesOf(url)).find(({ name }) => name === 'weir_build_info')?.labels ?? {}
  const peakResidentKiB = Number.parseInt(statusOf(node, 'VmHWM'), 10)
  const { ms: stopMs, ...end } = await first.stop('SIGTERM')
  checks.equal('SIGTERM ends it with exit code 0', end, { code: 0, signal: null })
  checks.that(
    'it has logged no warning and no error',
    !/"level":"(warn|error|fatal)"/.test(first.output),
    first.output,
  )
  checks.equal('the health check fails when it has ended', await healthCheck(), 1)

  await produceAll(bootstrapServers, load.lines(LINES / 2))
  await using second = new Container(container)
  const runningAgainMs = await second.until('/readyz, again', () => answersOk(`${url}/readyz`, 5_000))
  await committed()
  checks.equal('started again on its volume it goes on: all lines are counted', await counts(), load.counts)
  const restoredRecords = (await samplesOf(url))
    .filter(({ name }) => name === 'weir_restore_records_total')
    .reduce((sum, { value }) => sum + value, 0)
  checks.that(
    'its state was on the volume, and not restored',
    restoredRecords < VOCABULARY / 10,
    `${restoredRecords} records were restored`,
  )
  const { ms: _, ...secondEnd } = await second.stop('SIGTERM')
  checks.equal('SIGTERM ends that one too', secondEnd, { code: 0, signal: null })

  await using third = new Container(container)
  // As soon as tini has started another process: long before that, which is to be Node, has said what it does with signals.
  await third.until('tini has started Node', () => {
    const pid = third.process1
    return pid !== null && statusOf(pid, 'Name') === 'tini' && childrenOf(pid).length > 0
  })
  const early = await third.stop('SIGTERM')
  checks.that(
    'SIGTERM in the first moment of a start ends it, too',
    early.code === 0 || early.code === 143,
    JSON.stringify(early),
  )

  return {
    lines: LINES,
    words: LINES * WORDS_IN_LINE,
    distinctWords: Object.keys(load.counts).length,
    healthyMs,
    runningMs,
    runningAgainMs,
    linesPerSecond,
    stopMs,
    restoredRecords,
    peakResidentKiB,
    versions,
  }
}

/** Lines of random words, and how often each word was put into one: counted where they are made, not read from the lines. */
class WordLoad {
  readonly counts: Record<string, number> = {}
  #state = 1

  /** Letters alone; some words are far more frequent than others. */
  #word(): string {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    const rank = Math.floor((this.#state / 2 ** 32) ** 3 * VOCABULARY)
    return `w${rank.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)]!)}`
  }

  *lines(count: number): Generator<{ topic: string; key: null; value: string; timestamp: number }> {
    for (let line = 0; line < count; line++) {
      const words = Array.from({ length: WORDS_IN_LINE }, () => this.#word())
      for (const word of words) this.counts[word] = (this.counts[word] ?? 0) + 1
      yield { topic: 'lines', key: null, value: words.join(' '), timestamp: Date.now() }
    }
  }
}

async function samplesOf(url: string): Promise<MetricSample[]> {
  return parseSamples(await (await fetch(`${url}/metrics`)).text())
}
