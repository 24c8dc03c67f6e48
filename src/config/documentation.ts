import { describeDefault } from './describe-settings.ts'
import { memoryBytesMin, memoryParts } from './memory.ts'
import { forbiddenNames, type PassThroughGroup, passThroughGroups } from './pass-through.ts'
import { formatBytes } from './value-type.ts'
import type { Variable } from './variable.ts'
import { variables } from './variables.ts'

/** docs/configuration.md, from the tables that the configuration is read by. */
export function configurationDocument(): string {
  const all: readonly Variable[] = Object.values(variables)
  const groups = [...new Set(all.map((variable) => variable.group))]
  const sections = groups.map((group) => {
    const rows = all.filter((variable) => variable.group === group).map(variableRow)
    const extra = group === 'Memory' ? `\n${memorySection()}` : ''
    const before = group === 'RocksDB' ? `${rocksDbIntroduction}\n` : ''
    return `## ${group}\n\n${before}${table(['variable', 'Kafka Streams', 'allowed', 'default', 'meaning'], rows)}\n${extra}`
  })
  return `${introduction}\n${sections.join('\n')}\n${passThroughSection()}`
}

const introduction = `# Configuration

<!-- Made by scripts/docs.ts from src/config; npm run docs writes it anew. -->

A worker is configured by environment variables. Each is \`WEIR_\` and Kafka Streams' name for the setting in upper snake case; what Kafka
Streams has no name for is Weir's own. \`weir config\` prints every variable with the value it has now.

- A value that cannot be used, and a \`WEIR_\` variable that does not exist, stop the start before anything is connected: one line for each
  that names the variable, the value and what is allowed; exit code 2.
- An empty value is a value that is not set.
- A secret is never printed, and can be read from a file: \`WEIR_SASL_PASSWORD_FILE=/run/secrets/password\`. One line end at the end of the file
  is no part of it.
- Bytes are plain numbers, or have KiB, MiB or GiB behind them. Milliseconds are plain numbers.
- Variables that Kubernetes sets for a service called \`weir\` (\`WEIR_SERVICE_HOST\`, \`WEIR_PORT\`, ...) are left alone, and so are those of the
  tools around Weir: \`WEIR_TOOLCHAIN_DIR\`, \`WEIR_TEST_*\`, \`WEIR_BENCH_*\`, \`WEIR_BUILD_*\`.
`

function variableRow(variable: Variable): string[] {
  const secret = variable.secret ? ' A secret.' : ''
  return [
    code(variable.env),
    variable.kafka === null ? '' : code(variable.kafka),
    variable.type.allowed,
    defaultCell(variable),
    variable.meaning + secret,
  ]
}

function defaultCell(variable: Variable): string {
  const described = describeDefault(variable)
  if (variable.default.kind !== 'fixed') return described
  const inUnits = variable.unit === 'bytes' ? ` (${formatBytes(Number(variable.default.value))})` : ''
  return code(described) + inUnits
}

function memorySection(): string {
  const rows = memoryParts.map(({ name, percent, meaning }) => [name, `${percent} %`, meaning])
  return `\`WEIR_MEMORY_BYTES\` (at least ${formatBytes(memoryBytesMin)}) covers the whole process. What is set explicitly is taken first; the other parts share the rest
in these proportions, none below a least size of its own. Settings that do not fit are an error. The worker logs the result when it starts.

The image loads jemalloc, with which the process keeps to it. Run elsewhere, set \`LD_PRELOAD=libjemalloc.so.2\` and
\`MALLOC_CONF=narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true\`: glibc's allocator holds back more than the reserve
([why](decisions/0007-jemalloc-is-the-allocator.md)).

${table(['part', 'share', 'what it holds'], rows)}
`
}

const rocksDbIntroduction = `What operators turn, under RocksDB's own names. All its other settings go through by the same rule (see Pass-through), or by \`WEIR_ROCKSDB_OPTIONS\`.
A store can be given its own in code: \`stores.keyValue({ name, key, value, rocksdb: { block_size: '16KiB', compaction_style: 'kCompactionStyleUniversal' } })\`,
and in the same way a table of the DSL; settings of the whole database (of direct I/O, read-ahead, syncs, subcompactions) are not among them. Which one
holds: the store's own, then the variable, then \`WEIR_ROCKSDB_OPTIONS\`, then the profile (\`WEIR_STATE_PROFILE\`).
`

function passThroughSection(): string {
  const rows = passThroughGroups.map((group) => [
    code(`${group.prefix}*`),
    group.target,
    code(example(group)),
    code(exampleName(group)),
  ])
  const lists = passThroughGroups.map((group) => {
    const names = forbiddenNames(group.key).map(([name, why]) => `- \`${name}\`: ${why}`)
    return `Not for ${group.target} (\`${group.prefix}*\`):\n\n${names.join('\n')}\n`
  })
  return `## Pass-through

Settings of librdkafka and RocksDB go through by rule, under their own names:

${table(['variables', 'for', 'for example', 'becomes'], rows)}

What a guarantee or a limit rests on cannot be set so:

${lists.join('\n')}`
}

const examples: Readonly<Record<PassThroughGroup['key'], string>> = {
  consumer: 'FETCH_MIN_BYTES',
  producer: 'COMPRESSION_CODEC',
  admin: 'SOCKET_TIMEOUT_MS',
  rocksdb: 'BLOCK_RESTART_INTERVAL',
}

function example(group: PassThroughGroup): string {
  return group.prefix + examples[group.key]
}

function exampleName(group: PassThroughGroup): string {
  return group.nameOf(examples[group.key])
}

function code(content: string): string {
  return `\`${content}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
