import { integer, oneOf, text } from '../value-type.ts'
import { derived, fixed, optional, variable } from '../variable.ts'
import { milliseconds } from './common.ts'

/** What is shown of the process: HTTP, logs. */
export const observationVariables = {
  httpPort: variable(
    {
      env: 'WEIR_HTTP_PORT',
      group: 'Observation',
      type: integer({ min: -1, max: 65535 }),
      meaning:
        'Serves /metrics, /healthz and /readyz, and what WEIR_HTTP_TOKEN is for; 0 picks a free port, -1 is off.',
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
  httpToken: optional({
    env: 'WEIR_HTTP_TOKEN',
    group: 'Observation',
    type: text({
      pattern: /^[A-Za-z0-9\-._~+/]{16,256}=*$/,
      allowed: '16 to 256 letters, digits or any of -._~+/, such as `openssl rand -hex 32` makes',
    }),
    secret: true,
    meaning:
      'Whoever asks for more than /metrics, /healthz and /readyz has to show it: `Authorization: Bearer <token>`. When not set, only a server that ' +
      'listens at a loopback address answers such requests.',
  }),
  httpRequestsPerSecondMax: variable(
    {
      env: 'WEIR_HTTP_REQUESTS_PER_SECOND_MAX',
      group: 'Observation',
      type: integer({ min: 1, max: 1_000_000 }),
      meaning:
        'Requests of one client, by its address, /healthz and /readyz apart; those beyond are answered with 429. Processes of the application that ask each other are clients, too.',
    },
    fixed(1_000),
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
  console: variable(
    {
      env: 'WEIR_CONSOLE',
      group: 'Observation',
      type: oneOf('on', 'off'),
      meaning:
        'Serves a page at /console/ that shows the topology, its tasks and its state while they run. Who may see it: WEIR_HTTP_TOKEN.',
    },
    derived('off where NODE_ENV is production, else on', (_, machine) =>
      machine.isProduction ? 'off' : 'on',
    ),
  ),
} as const
