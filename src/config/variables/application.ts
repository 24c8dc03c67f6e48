import { applicationServerPattern } from '../application-server.ts'
import { text } from '../value-type.ts'
import { derived, fixed, optional, required, variable } from '../variable.ts'
import { milliseconds, name } from './common.ts'

const servers = text({
  pattern: /^(\[[0-9A-Fa-f:.]+\]|[^\s,:[\]]+):\d{1,5}(\s*,\s*(\[[0-9A-Fa-f:.]+\]|[^\s,:[\]]+):\d{1,5})*$/,
  allowed: 'host:port, several separated by commas',
})

/** Which application this is, and which cluster it belongs to. */
export const applicationVariables = {
  applicationId: variable(
    {
      env: 'WEIR_APPLICATION_ID',
      kafka: 'application.id',
      group: 'Application',
      type: name,
      meaning: "The consumer group, the prefix of every internal topic, and the clients' default name.",
    },
    required,
  ),
  bootstrapServers: variable(
    {
      env: 'WEIR_BOOTSTRAP_SERVERS',
      kafka: 'bootstrap.servers',
      group: 'Application',
      type: servers,
      meaning: 'The brokers to ask first.',
    },
    required,
  ),
  clientId: variable(
    {
      env: 'WEIR_CLIENT_ID',
      kafka: 'client.id',
      group: 'Application',
      type: name,
      meaning: "Prefix of the clients' names, as brokers log and meter them.",
    },
    derived('WEIR_APPLICATION_ID', (known) => known.applicationId),
  ),
  applicationServer: optional({
    env: 'WEIR_APPLICATION_SERVER',
    kafka: 'application.server',
    group: 'Application',
    type: text({ pattern: applicationServerPattern, allowed: 'host:port' }),
    meaning:
      'Where other processes of the application reach the HTTP server of this one, to ask it for state that it has. It becomes a part of the ' +
      "consumer's client.id, by which the group tells it to the others.",
  }),
  shutdownTimeoutMs: variable(
    {
      env: 'WEIR_SHUTDOWN_TIMEOUT_MS',
      group: 'Application',
      type: milliseconds,
      unit: 'ms',
      meaning:
        'How long a stop may take: commit, close, leave the group. After it the process ends with exit code 1.',
    },
    fixed(30_000),
  ),
} as const
