import { messageOf } from '../errors/weir-error.ts'
import { Admin, type ClientConfig, Consumer, Producer } from '../native.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { checkRocksDb } from './check-rocksdb.ts'
import { adminConfig, consumerConfig, producerConfig, restoreConfig } from './clients.ts'
import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { type PassThroughGroup, passThroughGroups } from './pass-through.ts'

/**
 * Finds out whether librdkafka and RocksDB take the settings, names and values, without connecting to anything: clients are made without
 * brokers, and a database in a temporary folder.
 *
 * @param topology whose stores may have settings of their own
 * @throws ConfigError
 */
export async function checkNativeSettings(config: Config, topology?: TopologyDefinition): Promise<void> {
  const problems: string[] = []
  const check = async (
    group: PassThroughGroup['key'],
    open: () => { close(): Promise<void> | void },
  ): Promise<void> => {
    try {
      await open().close()
    } catch (error) {
      problems.push(problemLine(config, group, error))
    }
  }
  await check('consumer', () => new Consumer(withoutBrokers(consumerConfig(config, 1)), () => {}))
  await check('consumer', () => new Consumer(withoutBrokers(restoreConfig(config)), () => {}))
  await check('producer', () => new Producer(withoutBrokers(producerConfig(config, 0))))
  await check('admin', () => new Admin(withoutBrokers(adminConfig(config))))
  problems.push(...(await checkRocksDb(config, topology)))
  if (problems.length > 0) throw new ConfigError([...new Set(problems)])
}

/** librdkafka's names of the settings that all clients share. */
const sharedVariables: Readonly<Record<string, string>> = {
  'security.protocol': 'WEIR_SECURITY_PROTOCOL',
  'sasl.mechanisms': 'WEIR_SASL_MECHANISM',
  'ssl.ca.location': 'WEIR_SSL_CA_LOCATION',
  'ssl.certificate.location': 'WEIR_SSL_CERTIFICATE_LOCATION',
  'ssl.key.location': 'WEIR_SSL_KEY_LOCATION',
  'session.timeout.ms': 'WEIR_SESSION_TIMEOUT_MS',
  'max.poll.interval.ms': 'WEIR_MAX_POLL_INTERVAL_MS',
}

/** Names the variable where the message names the setting. */
function problemLine(config: Config, group: PassThroughGroup['key'], error: unknown): string {
  const message = messageOf(error)
  const { prefix } = passThroughGroups.find(({ key }) => key === group)!
  const words = message.split(/[\s=:`"',]+/)
  const passedThrough = Object.keys(config[group]).find((name) => words.includes(name))
  if (passedThrough !== undefined)
    return `${prefix}${passedThrough.toUpperCase().replaceAll('.', '_')}: ${message}`
  const shared = Object.keys(sharedVariables).find((name) => words.includes(name))
  return `${shared === undefined ? `${prefix}*` : sharedVariables[shared]}: ${message}`
}

/** Without brokers there is nothing to connect to; that librdkafka finds this strange is not worth a line. */
function withoutBrokers(client: ClientConfig): ClientConfig {
  const { 'bootstrap.servers': _, ...rest } = client
  return { ...rest, log_level: '0' }
}
