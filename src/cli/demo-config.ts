import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/settings.ts'

/** Settings of a cluster, of a group and of a place for state do not concern a demo that brings its own. */
const ownSettings =
  /^WEIR_(APPLICATION_ID|BOOTSTRAP_SERVERS|CLIENT_ID|SECURITY_|SASL_|SSL_|GROUP_|REPLICATION_FACTOR|STATE_DIR|SCHEMA_)/

/** What suits a demo better than a worker: results at once, and no lines between the figures. */
const defaults = {
  WEIR_COMMIT_INTERVAL_MS: '1000',
  WEIR_PRODUCER_LINGER_MS: '5',
  // The mock cluster answers a fetch that finds nothing at the end of its wait, also when records come meanwhile.
  WEIR_CONSUMER_FETCH_WAIT_MAX_MS: '10',
  WEIR_LOG_LEVEL: 'warn',
  WEIR_LOG_FORMAT: 'pretty',
  WEIR_HTTP_PORT: '0',
  WEIR_SCHEMA_AUTO_REGISTER: 'true',
}

/** What the demo brings itself. */
export interface DemoEnvironmentOptions {
  readonly bootstrapServers: string
  readonly stateDir: string
  /** null: as many as there are cores. */
  readonly threads: number | null
}

/** The demo's settings: its own application, brokers and state folder; everything else as the environment says. */
export function demoEnvironment(own: DemoEnvironmentOptions, environment: Environment): Environment {
  const kept = Object.entries(environment).filter(([name]) => !ownSettings.test(name))
  const { bootstrapServers, stateDir, threads } = own
  return {
    ...defaults,
    ...Object.fromEntries(kept),
    WEIR_APPLICATION_ID: 'weir-demo',
    WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
    WEIR_STATE_DIR: stateDir,
    ...(threads !== null && { WEIR_NUM_STREAM_THREADS: String(threads) }),
  }
}

/** @throws ConfigError */
export function demoConfig(own: DemoEnvironmentOptions, environment: Environment): Config {
  return loadConfig(demoEnvironment(own, environment))
}
