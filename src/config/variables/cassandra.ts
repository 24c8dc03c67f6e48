import { CONSISTENCY_LEVELS } from '../../cassandra/cassandra-settings.ts'
import { bytes, integer, oneOf, text } from '../value-type.ts'
import { fixed, optional, variable } from '../variable.ts'

const MiB = 2 ** 20

const host = String.raw`(\[[0-9A-Fa-f:.]+\]|[^\s,:[\]]+)(:\d{1,5})?`
const contactPoints = text({
  pattern: new RegExp(String.raw`^${host}(\s*,\s*${host})*$`),
  allowed: 'host or host:port, several separated by commas',
})
/** As Cassandra has it for keyspaces. */
const keyspace = text({
  pattern: /^[A-Za-z0-9_]{1,48}$/,
  allowed: 'up to 48 letters, digits and underscores, upper and lower case as Cassandra shows it',
})
const path = text({ allowed: 'a path' })

/** How Cassandra is reached, by topologies that write to it. */
export const cassandraVariables = {
  cassandraContactPoints: optional({
    env: 'WEIR_CASSANDRA_CONTACT_POINTS',
    group: 'Cassandra',
    type: contactPoints,
    meaning: 'The nodes to ask first; the others are found through them. The port is 9042 when not given.',
  }),
  cassandraLocalDatacenter: optional({
    env: 'WEIR_CASSANDRA_LOCAL_DATACENTER',
    group: 'Cassandra',
    type: text(),
    meaning: 'The data centre whose nodes are asked, by its name in Cassandra.',
  }),
  cassandraKeyspace: optional({
    env: 'WEIR_CASSANDRA_KEYSPACE',
    group: 'Cassandra',
    type: keyspace,
    meaning: "Where the topology's tables are.",
  }),
  cassandraUsername: optional({
    env: 'WEIR_CASSANDRA_USERNAME',
    group: 'Cassandra',
    type: text(),
    meaning: 'For authentication by name and password.',
  }),
  cassandraPassword: optional({
    env: 'WEIR_CASSANDRA_PASSWORD',
    group: 'Cassandra',
    type: text(),
    secret: true,
    meaning: 'For authentication by name and password.',
  }),
  cassandraSsl: variable(
    {
      env: 'WEIR_CASSANDRA_SSL',
      group: 'Cassandra',
      type: oneOf('true', 'false'),
      meaning: 'Whether connections are encrypted.',
    },
    fixed('false' as const),
  ),
  cassandraSslCaLocation: optional({
    env: 'WEIR_CASSANDRA_SSL_CA_LOCATION',
    group: 'Cassandra',
    type: path,
    meaning: "PEM file with the certificates that nodes are checked against; Node's own when not set.",
  }),
  cassandraSslCertificateLocation: optional({
    env: 'WEIR_CASSANDRA_SSL_CERTIFICATE_LOCATION',
    group: 'Cassandra',
    type: path,
    meaning: 'PEM file with the certificate that this process shows to nodes.',
  }),
  cassandraSslKeyLocation: optional({
    env: 'WEIR_CASSANDRA_SSL_KEY_LOCATION',
    group: 'Cassandra',
    type: path,
    meaning: 'PEM file with the key of that certificate.',
  }),
  cassandraSslKeyPassword: optional({
    env: 'WEIR_CASSANDRA_SSL_KEY_PASSWORD',
    group: 'Cassandra',
    type: text(),
    secret: true,
    meaning: 'Opens that key.',
  }),
  cassandraSslEndpointIdentificationAlgorithm: optional({
    env: 'WEIR_CASSANDRA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM',
    group: 'Cassandra',
    type: oneOf('https', 'none'),
    meaning:
      "https (used when not set) checks that a node's certificate carries the address that it is reached by: of nodes that others tell of, the IP address.",
  }),
  cassandraWriteConsistency: variable(
    {
      env: 'WEIR_CASSANDRA_WRITE_CONSISTENCY',
      group: 'Cassandra',
      type: oneOf(...CONSISTENCY_LEVELS),
      meaning: 'How many replicas have a write before it counts as done, and source offsets are committed.',
    },
    fixed('LOCAL_QUORUM' as const),
  ),
  cassandraReadConsistency: variable(
    {
      env: 'WEIR_CASSANDRA_READ_CONSISTENCY',
      group: 'Cassandra',
      type: oneOf(...CONSISTENCY_LEVELS.filter((level) => level !== 'ANY' && level !== 'EACH_QUORUM')),
      meaning: 'How many replicas answer a read.',
    },
    fixed('LOCAL_QUORUM' as const),
  ),
  cassandraRequestTimeoutMs: variable(
    {
      env: 'WEIR_CASSANDRA_REQUEST_TIMEOUT_MS',
      group: 'Cassandra',
      type: integer({ min: 100, max: 300_000 }),
      unit: 'ms',
      meaning: 'How long one node may take to answer; then the next one is asked.',
    },
    fixed(10_000),
  ),
  cassandraRequestsMax: variable(
    {
      env: 'WEIR_CASSANDRA_REQUESTS_MAX',
      group: 'Cassandra',
      type: integer({ min: 1, max: 2_048 }),
      meaning: 'Requests of one stream thread that are on their way at the same time.',
    },
    fixed(128),
  ),
  cassandraQueueBytes: variable(
    {
      env: 'WEIR_CASSANDRA_QUEUE_BYTES',
      group: 'Cassandra',
      type: bytes({ min: 65_536 }),
      unit: 'bytes',
      meaning:
        "Rows of one stream thread that are not written yet, estimated; no more than 8,192 either way. When there are more, the thread's tasks that write to " +
        'Cassandra take no further records. They take several times as much of the heap.',
    },
    fixed(4 * MiB),
  ),
} as const
