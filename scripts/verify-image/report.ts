import { cpus } from 'node:os'

import type { WordCountFigures } from './word-count.ts'

export interface Report {
  readonly revision: string
  readonly release: string
  readonly builder: string
  readonly buildSeconds: number
  /** compiled in the build, or reused */
  readonly libraries: string
  /** Bytes, compressed, the lowest layer first: the base, then what the Dockerfile puts on it. */
  readonly layers: readonly number[]
  readonly contents: readonly (readonly [what: string, bytes: number])[]
  readonly helpMs: number
  readonly demoSummary: string
  readonly wordCount: WordCountFigures
  readonly checks: readonly string[]
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`
const count = (value: number): string => Math.round(value).toLocaleString('en')

export function reportText(report: Report): string {
  const { wordCount, layers } = report
  const { versions } = wordCount
  const built =
    report.libraries === 'reused'
      ? 'RocksDB and librdkafka were those that the set-up had compiled on the same machine, mounted into the build'
      : 'RocksDB and librdkafka included'
  return `# The image, built and tried

<!-- Made by scripts/verify-image.sh; it writes this anew. -->

Of revision ${report.revision.slice(0, 12)}, by ${report.builder} in a chroot, on a base made by debootstrap (${report.release}). Build: ${report.buildSeconds} s on ${cpus().length} cores
that had other work, ${built}.

| version of | |
|---|---|
${Object.entries(versions)
  .map(([name, version]) => `| ${name === 'version' ? 'Weir' : name} | ${version} |`)
  .join('\n')}

## Size

| layer | compressed |
|---|---|
| base | ${megabytes(layers[0]!)} |
| what the Dockerfile puts on it | ${megabytes(layers.slice(1).reduce((sum, bytes) => sum + bytes, 0))} |

A build that keeps a layer for each instruction, as Docker does, has the second one in parts of the same size together.

| content | on disk |
|---|---|
${report.contents.map(([what, bytes]) => `| ${what} | ${megabytes(bytes)} |`).join('\n')}

## Time

On the same ${cpus().length} cores, beside the broker and other work: what to expect at the most, no benchmark.

| | |
|---|---|
| \`weir --help\`, from the container's begin to its end | ${seconds(report.helpMs)} |
| \`/healthz\` answers, first start | ${seconds(wordCount.healthyMs)} |
| \`/readyz\` answers: internal topics created, group joined, tasks run | ${seconds(wordCount.runningMs)} |
| \`/readyz\` answers, second start, on the volume of the first | ${seconds(wordCount.runningAgainMs)} |
| SIGTERM to exit code 0 | ${seconds(wordCount.stopMs)} |

## What ran

The demo, \`weir demo --records 200000 --plain\`:

\`\`\`
${report.demoSummary}
\`\`\`

[topology/word-count.ts](topology/word-count.ts), \`weir run\`, on Kafka: ${count(wordCount.lines)} lines of ${count(wordCount.words)} words, ${count(wordCount.distinctWords)} different ones, half of them before the first
start and half while no worker ran. Every count in the output topic is what an independent count says. The first half took ${count(wordCount.linesPerSecond)} lines a
second, until it was committed. The second start restored ${count(wordCount.restoredRecords)} records: its state was on the volume. Peak resident memory of the first was
${count(wordCount.peakResidentKiB / 1_024)} MiB with \`WEIR_MEMORY_BYTES=1GiB\`.

The container had the root file system read-only, the image's own user without capabilities, process 1 in a namespace of its own.

## What was checked

${report.checks.map((check) => `- ${check}`).join('\n')}
`
}
