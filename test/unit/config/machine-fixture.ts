import type { Machine } from '../../../src/config/machine.ts'

/** Two cores, 8 GiB, a control group of 4 GiB. */
export const machine: Machine = {
  cores: 2,
  memoryLimitBytes: 4 * 2 ** 30,
  memoryBytes: 8 * 2 ** 30,
  workingDirectory: '/srv/app',
  stdoutIsTerminal: false,
  isProduction: false,
  isWritableDirectory: () => false,
}

/** The least that a configuration needs. */
export const minimal = { WEIR_APPLICATION_ID: 'app', WEIR_BOOTSTRAP_SERVERS: 'localhost:9092' }
