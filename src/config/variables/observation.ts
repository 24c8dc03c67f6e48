import { integer, oneOf, text } from '../value-type.ts'
import { derived, fixed, variable } from '../variable.ts'
import { milliseconds } from './common.ts'

/** What is shown of the process: HTTP, logs. */
export const observationVariables = {
  httpPort: variable(
    {
      env: 'WEIR_HTTP_PORT',
      group: 'Observation',
      type: integer({ min: -1, max: 65535 }),
      meaning: 'Serves /metrics, /healthz and /readyz; 0 picks a free port, -1 is off.',
    },
    fixed(8080),
  ),
  httpHost: variable(
    {
      env: 'WEIR_HTTP_HOST',
      group: 'Observation',
      type: text({ pattern: /^[^\s/]+$/, allowed: 'a host name or address' }),
      meaning: 'The address to listen at; 0.0.0.0 is every one, which a container needs for its probes.',
    },
    fixed('127.0.0.1'),
  ),
  logLevel: variable(
    {
      env: 'WEIR_LOG_LEVEL',
      group: 'Observation',
      type: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
      meaning: 'The least level that is logged.',
    },
    fixed('info' as const),
  ),
  logFormat: variable(
    {
      env: 'WEIR_LOG_FORMAT',
      group: 'Observation',
      type: oneOf('json', 'pretty'),
      meaning: 'One JSON object a line, or text for people.',
    },
    derived('pretty on a terminal, else json', (_, machine) =>
      machine.stdoutIsTerminal ? 'pretty' : 'json',
    ),
  ),
  slowRecordMs: variable(
    {
      env: 'WEIR_SLOW_RECORD_MS',
      group: 'Observation',
      type: milliseconds,
      unit: 'ms',
      meaning:
        'A record whose processing takes longer is logged, with the node that took the most of it: see diagnosis.md. 0 looks for none.',
    },
    fixed(1_000),
  ),
  tracing: variable(
    {
      env: 'WEIR_TRACING',
      group: 'Observation',
      type: oneOf('none', 'records'),
      meaning:
        'records: an OpenTelemetry span for each record, a child of what its headers carry, by the SDK that the topology module registers. ' +
        'Needs the package @opentelemetry/api. Headers with a trace go from input to output either way.',
    },
    fixed('none' as const),
  ),
} as const
