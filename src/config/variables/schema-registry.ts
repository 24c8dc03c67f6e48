import { integer, oneOf, text, type ValueType } from '../value-type.ts'
import { fixed, optional, variable } from '../variable.ts'
import { zod } from '../zod.ts'

const urls: ValueType<string> = {
  get schema() {
    return zod()
      .string()
      .refine((given) => given.split(',').every(isPlainUrl))
  },
  allowed: 'http:// or https:// URLs without credentials, with commas between them',
}

function isPlainUrl(given: string): boolean {
  const url = URL.parse(given.trim())
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

/** How the schema registry is reached, and what is written to it. */
export const schemaRegistryVariables = {
  schemaRegistryUrl: optional({
    env: 'WEIR_SCHEMA_REGISTRY_URL',
    kafka: 'schema.registry.url',
    group: 'Schema registry',
    type: urls,
    meaning:
      "Where Confluent's API of the registry begins. Of several the next one is asked when one does not answer.",
  }),
  schemaRegistryUsername: optional({
    env: 'WEIR_SCHEMA_REGISTRY_USERNAME',
    kafka: 'basic.auth.user.info',
    group: 'Schema registry',
    type: text(),
    meaning: 'For basic authentication.',
  }),
  schemaRegistryPassword: optional({
    env: 'WEIR_SCHEMA_REGISTRY_PASSWORD',
    kafka: 'basic.auth.user.info',
    group: 'Schema registry',
    type: text(),
    secret: true,
    meaning: 'For basic authentication.',
  }),
  schemaRegistrySslCaLocation: optional({
    env: 'WEIR_SCHEMA_REGISTRY_SSL_CA_LOCATION',
    kafka: 'schema.registry.ssl.truststore.location',
    group: 'Schema registry',
    type: text({ allowed: 'a path' }),
    meaning: "PEM file with the certificates that the registry is checked against; Node's own when not set.",
  }),
  schemaRegistrySslCertificateLocation: optional({
    env: 'WEIR_SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION',
    kafka: 'schema.registry.ssl.keystore.location',
    group: 'Schema registry',
    type: text({ allowed: 'a path' }),
    meaning: 'PEM file with the certificate that this process shows to the registry.',
  }),
  schemaRegistrySslKeyLocation: optional({
    env: 'WEIR_SCHEMA_REGISTRY_SSL_KEY_LOCATION',
    kafka: 'schema.registry.ssl.keystore.location',
    group: 'Schema registry',
    type: text({ allowed: 'a path' }),
    meaning: 'PEM file with the key of that certificate.',
  }),
  schemaRegistrySslKeyPassword: optional({
    env: 'WEIR_SCHEMA_REGISTRY_SSL_KEY_PASSWORD',
    kafka: 'schema.registry.ssl.key.password',
    group: 'Schema registry',
    type: text(),
    secret: true,
    meaning: 'Opens that key.',
  }),
  schemaRegistryRequestTimeoutMs: variable(
    {
      env: 'WEIR_SCHEMA_REGISTRY_REQUEST_TIMEOUT_MS',
      group: 'Schema registry',
      type: integer({ min: 100, max: 300_000 }),
      unit: 'ms',
      meaning:
        'How long one URL may take to answer. A stream thread that meets a schema in the middle of a record, where it cannot wait, stands still ' +
        'this long at the most.',
    },
    fixed(10_000),
  ),
  schemaAutoRegister: variable(
    {
      env: 'WEIR_SCHEMA_AUTO_REGISTER',
      kafka: 'auto.register.schemas',
      group: 'Schema registry',
      type: oneOf('false', 'internal', 'true'),
      meaning:
        'Whether the schemas that are written are registered at the start: none (they have to be there), those of changelogs and repartition ' +
        "topics, which are the application's own, or all.",
    },
    fixed('false' as const),
  ),
} as const
