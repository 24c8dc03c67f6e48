import { readFileSync } from 'node:fs'

import { messageOf } from '../errors/weir-error.ts'
import { cassandraProblems } from './cassandra-problems.ts'
import type { Machine } from './machine.ts'
import { nearestName } from './nearest-name.ts'
import {
  canonicalName,
  isSecretName,
  type PassThroughGroup,
  passThroughGroups,
  whyForbidden,
} from './pass-through.ts'
import { parseOptionString, rocksDbVariable, unbraced } from './rocksdb-settings.ts'
import { type KnownValues, shown, type Variable } from './variable.ts'
import { type Values, type VariableKey, variables } from './variables.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type PassThroughSettings = Record<PassThroughGroup['key'], Record<string, string>>

/** Where a value came from. */
export type Source = 'default' | 'environment' | 'file'

/** All settings as far as they could be read; a value with a problem has its default, or null where there is none. */
export interface Settings {
  readonly values: Values
  readonly sources: Readonly<Record<VariableKey, Source>>
  readonly passThrough: PassThroughSettings
  /** One line each. */
  readonly problems: readonly string[]
}

/** `WEIR_` variables of the tools around Weir: its build, its tests and its benches. */
const toolVariables = /^WEIR_(TOOLCHAIN_DIR$|TEST_|BENCH_|BUILD_)/

/** What Kubernetes puts into every container for each service of the namespace, whatever the service is called. */
const serviceVariables = /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/

function isFromService(name: string, value: string): boolean {
  return serviceVariables.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
}

const optionsVariable = variables.rocksdbOptions.env
/** What RocksDB's own option strings have the settings of tables under. */
const tableVariable = 'WEIR_ROCKSDB_BLOCK_BASED_TABLE_FACTORY'

/** Reads every setting from `environment`. Never throws for a bad one: see {@link Settings.problems}. An empty value is not set. */
export function readSettings(environment: Environment, machine: Machine): Settings {
  const problems: string[] = []
  const given = new Map(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[0].startsWith('WEIR_') && entry[1] !== undefined && entry[1] !== '',
    ),
  )
  const fromFile = readSecretFiles(given, problems)
  const spread = spreadOptionStrings(given, problems)
  const { values, sources } = readTable(given, fromFile, machine, problems)
  const passThrough = readPassThrough(given, values.processingGuarantee, problems)
  for (const [name, value] of given) {
    if (!toolVariables.test(name) && !isFromService(name, value)) problems.push(unknownVariable(name))
  }
  checkTogether(values, problems)
  checkSchemaRegistry(values, problems)
  problems.push(...cassandraProblems(values))
  if (values.processingGuarantee === 'exactly_once_v2') checkTransactions(values, passThrough, problems)
  return { values, sources, passThrough, problems: problems.map((line) => withOrigin(line, spread)) }
}

/** Puts the contents of `*_FILE` in the place of their variables. @returns the variables that were read so */
function readSecretFiles(given: Map<string, string>, problems: string[]): Set<string> {
  const fromFile = new Set<string>()
  for (const [fileVariable, path] of [...given]) {
    const name = fileVariable.replace(/_FILE$/, '')
    if (name === fileVariable || !isSecretVariable(name)) continue
    given.delete(fileVariable)
    if (given.has(name)) {
      problems.push(`${fileVariable}=${path}: ${name} is set too; set one of them`)
      continue
    }
    try {
      given.set(name, readFileSync(path, 'utf8').replace(/\r?\n$/, ''))
      fromFile.add(name)
    } catch (error) {
      problems.push(`${fileVariable}=${path}: cannot be read: ${messageOf(error)}`)
    }
  }
  return fromFile
}

/**
 * Puts the settings of RocksDB's option strings in the place of their variables; a variable that is set itself is more particular.
 *
 * @returns the variables that were set so, with those whose string had them
 */
function spreadOptionStrings(given: Map<string, string>, problems: string[]): Map<string, string> {
  const spread = new Map<string, string>()
  for (const origin of [tableVariable, optionsVariable]) {
    const text = given.get(origin)
    if (origin === tableVariable) given.delete(origin)
    if (text === undefined) continue
    try {
      for (const [name, value] of parseOptionString(origin === tableVariable ? unbraced(text) : text)) {
        const variable = rocksDbVariable(name)
        if (variable === optionsVariable || given.has(variable)) continue
        given.set(variable, value)
        spread.set(variable, origin)
      }
    } catch (error) {
      const { allowed } = variables.rocksdbOptions.type
      problems.push(`${origin}=${shown(text, false)}: ${messageOf(error)}: expected ${allowed}`)
    }
  }
  return spread
}

function withOrigin(line: string, spread: ReadonlyMap<string, string>): string {
  const origin = spread.get(/^\w+/.exec(line)?.[0] ?? '')
  return origin === undefined ? line : `${line} (in ${origin})`
}

function isSecretVariable(name: string): boolean {
  if (Object.values(variables).some((variable) => variable.env === name)) {
    return Object.values(variables).some((variable) => variable.env === name && variable.secret)
  }
  const group = passThroughGroups.find(({ prefix }) => name.startsWith(prefix))
  return group !== undefined && isSecretName(group.nameOf(name.slice(group.prefix.length)))
}

/** Takes the table's variables out of `given`. */
function readTable(
  given: Map<string, string>,
  fromFile: ReadonlySet<string>,
  machine: Machine,
  problems: string[],
): { values: Values; sources: Record<VariableKey, Source> } {
  const values: Record<string, unknown> = {}
  const sources: Record<string, Source> = {}
  for (const [key, variable] of Object.entries(variables) as [VariableKey, Variable][]) {
    const raw = given.get(variable.env)
    given.delete(variable.env)
    const parsed = raw === undefined ? undefined : variable.type.schema.safeParse(raw)
    if (parsed?.success === true) {
      values[key] = parsed.data
      sources[key] = fromFile.has(variable.env) ? 'file' : 'environment'
      continue
    }
    if (raw !== undefined)
      problems.push(`${variable.env}=${shown(raw, variable.secret)}: expected ${variable.type.allowed}`)
    else if (variable.default.kind === 'required')
      problems.push(`${variable.env} is not set: expected ${variable.type.allowed}`)
    values[key] = defaultOf(variable, values as unknown as KnownValues, machine)
    sources[key] = 'default'
  }
  return { values: values as Values, sources: sources as Record<VariableKey, Source> }
}

function defaultOf(variable: Variable, known: KnownValues, machine: Machine): unknown {
  switch (variable.default.kind) {
    case 'fixed':
      return variable.default.value
    case 'derived':
      return variable.default.compute(known, machine)
    case 'required':
    case 'none':
      return null
  }
}

/** Takes the pass-through variables out of `given`. */
function readPassThrough(
  given: Map<string, string>,
  guarantee: string,
  problems: string[],
): PassThroughSettings {
  const settings: PassThroughSettings = { consumer: {}, producer: {}, admin: {}, rocksdb: {} }
  for (const [variable, value] of [...given]) {
    const group = passThroughGroups.find(
      ({ prefix }) => variable.startsWith(prefix) && variable.length > prefix.length,
    )
    if (group === undefined || isFromService(variable, value)) continue
    given.delete(variable)
    const name = canonicalName(group.nameOf(variable.slice(group.prefix.length)))
    const why = whyForbidden(group.key, name, value, guarantee)
    if (why !== null)
      problems.push(`${variable}=${shown(value, isSecretName(name))}: ${name} cannot be set: ${why}`)
    else settings[group.key][name] = value
  }
  return settings
}

function unknownVariable(name: string): string {
  const names = Object.values(variables).map((variable) => variable.env)
  const nearest = nearestName(name, names)
  return `${name} is no setting of Weir: ${nearest === null ? 'weir config lists them all' : `did you mean ${nearest}?`}`
}

/** What no variable can be checked for alone. */
function checkTogether(values: Values, problems: string[]): void {
  const { securityProtocol, saslMechanism, saslUsername, saslPassword } = values
  if (values.streamThreadsMax < values.numStreamThreads) {
    problems.push(
      `WEIR_STREAM_THREADS_MAX=${values.streamThreadsMax}: at least WEIR_NUM_STREAM_THREADS (${values.numStreamThreads})`,
    )
  }
  if (values.sessionTimeoutMs > values.maxPollIntervalMs) {
    problems.push(
      `WEIR_SESSION_TIMEOUT_MS=${values.sessionTimeoutMs}: at most WEIR_MAX_POLL_INTERVAL_MS (${values.maxPollIntervalMs})`,
    )
  }
  if (values.rocksdbPartitionFilters === 'true' && values.rocksdbIndexType !== 'kTwoLevelIndexSearch') {
    problems.push(
      'WEIR_ROCKSDB_PARTITION_FILTERS=true: only with WEIR_ROCKSDB_INDEX_TYPE=kTwoLevelIndexSearch',
    )
  }
  if (values.replicationFactor === 0) problems.push('WEIR_REPLICATION_FACTOR=0: expected -1 or at least 1')
  const sasl = securityProtocol.startsWith('sasl_')
  for (const [key, value] of [
    ['saslMechanism', saslMechanism],
    ['saslUsername', saslUsername],
    ['saslPassword', saslPassword],
  ] as const) {
    const { env, secret } = variables[key]
    if (sasl && value === null)
      problems.push(`${env} is not set: WEIR_SECURITY_PROTOCOL=${securityProtocol} needs it`)
    if (!sasl && value !== null) {
      problems.push(
        `${env}=${shown(value, secret)}: only with WEIR_SECURITY_PROTOCOL=sasl_plaintext or sasl_ssl`,
      )
    }
  }
  const ssl = securityProtocol.endsWith('ssl')
  for (const key of [
    'sslCaLocation',
    'sslCertificateLocation',
    'sslKeyLocation',
    'sslKeyPassword',
    'sslEndpointIdentificationAlgorithm',
  ] as const) {
    const { env, secret } = variables[key]
    const value = values[key]
    if (!ssl && value !== null)
      problems.push(`${env}=${shown(value, secret)}: only with WEIR_SECURITY_PROTOCOL=ssl or sasl_ssl`)
  }
}

/** What is set for a registry needs one. */
function checkSchemaRegistry(values: Values, problems: string[]): void {
  const { schemaRegistryUrl, schemaRegistryUsername, schemaRegistryPassword } = values
  for (const key of [
    'schemaRegistryUsername',
    'schemaRegistryPassword',
    'schemaRegistrySslCaLocation',
    'schemaRegistrySslCertificateLocation',
    'schemaRegistrySslKeyLocation',
    'schemaRegistrySslKeyPassword',
  ] as const) {
    const { env, secret } = variables[key]
    const value = values[key]
    if (value !== null && schemaRegistryUrl === null)
      problems.push(`${env}=${shown(value, secret)}: only with WEIR_SCHEMA_REGISTRY_URL`)
  }
  if ((schemaRegistryUsername === null) !== (schemaRegistryPassword === null))
    problems.push('WEIR_SCHEMA_REGISTRY_USERNAME and WEIR_SCHEMA_REGISTRY_PASSWORD: both or none')
  if (
    (values.schemaRegistrySslCertificateLocation === null) !==
    (values.schemaRegistrySslKeyLocation === null)
  )
    problems.push(
      'WEIR_SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION and WEIR_SCHEMA_REGISTRY_SSL_KEY_LOCATION: both or none',
    )
}

/** A transaction lasts from one commit to the next, a slow record included; and a rebalance, or the watch over threads, waits for both. */
function checkTransactions(values: Values, { producer }: PassThroughSettings, problems: string[]): void {
  const { transactionTimeoutMs, commitIntervalMs, maxPollIntervalMs, threadStuckTimeoutMs } = values
  const limit = `WEIR_TRANSACTION_TIMEOUT_MS (${transactionTimeoutMs})`
  // Every transaction would time out before its commit.
  if (commitIntervalMs >= transactionTimeoutMs)
    problems.push(`WEIR_COMMIT_INTERVAL_MS=${commitIntervalMs}: less than ${limit}`)
  // A record may take so long: neither the group nor the watch may take the thread for dead before.
  if (maxPollIntervalMs < transactionTimeoutMs)
    problems.push(`WEIR_MAX_POLL_INTERVAL_MS=${maxPollIntervalMs}: at least ${limit}`)
  else if (threadStuckTimeoutMs < transactionTimeoutMs)
    problems.push(`WEIR_THREAD_STUCK_TIMEOUT_MS=${threadStuckTimeoutMs}: at least ${limit}`)
  // What cannot be delivered, or is not answered, before the broker aborts need not be.
  for (const name of ['message.timeout.ms', 'socket.timeout.ms']) {
    const given = producer[name]
    if (given === undefined || (Number(given) > 0 && Number(given) <= transactionTimeoutMs)) continue
    const env = `WEIR_PRODUCER_${name.toUpperCase().replaceAll('.', '_')}`
    problems.push(`${env}=${given}: from 1 to ${limit}`)
  }
}
