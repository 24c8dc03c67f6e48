import { oneOf, text } from '../value-type.ts'
import { fixed, optional, variable } from '../variable.ts'

/** How every client connects. */
export const securityVariables = {
  securityProtocol: variable(
    {
      env: 'WEIR_SECURITY_PROTOCOL',
      kafka: 'security.protocol',
      group: 'Security',
      type: oneOf('plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'),
      meaning: 'How every client connects.',
    },
    fixed('plaintext' as const),
  ),
  saslMechanism: optional({
    env: 'WEIR_SASL_MECHANISM',
    kafka: 'sasl.mechanism',
    group: 'Security',
    type: oneOf('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'),
    meaning: 'With sasl_plaintext or sasl_ssl.',
  }),
  saslUsername: optional({
    env: 'WEIR_SASL_USERNAME',
    kafka: 'sasl.jaas.config',
    group: 'Security',
    type: text(),
    meaning: 'With sasl_plaintext or sasl_ssl.',
  }),
  saslPassword: optional({
    env: 'WEIR_SASL_PASSWORD',
    kafka: 'sasl.jaas.config',
    group: 'Security',
    type: text(),
    secret: true,
    meaning: 'With sasl_plaintext or sasl_ssl.',
  }),
  sslCaLocation: optional({
    env: 'WEIR_SSL_CA_LOCATION',
    kafka: 'ssl.truststore.location',
    group: 'Security',
    type: text({ allowed: 'a path, or probe' }),
    meaning:
      "PEM file or folder with the certificates that brokers are checked against; the system's own when not set.",
  }),
  sslCertificateLocation: optional({
    env: 'WEIR_SSL_CERTIFICATE_LOCATION',
    kafka: 'ssl.keystore.location',
    group: 'Security',
    type: text({ allowed: 'a path' }),
    meaning: 'PEM file with the certificate that this process shows to brokers.',
  }),
  sslKeyLocation: optional({
    env: 'WEIR_SSL_KEY_LOCATION',
    kafka: 'ssl.keystore.location',
    group: 'Security',
    type: text({ allowed: 'a path' }),
    meaning: 'PEM file with the key of that certificate.',
  }),
  sslKeyPassword: optional({
    env: 'WEIR_SSL_KEY_PASSWORD',
    kafka: 'ssl.key.password',
    group: 'Security',
    type: text(),
    secret: true,
    meaning: 'Opens that key.',
  }),
  sslEndpointIdentificationAlgorithm: optional({
    env: 'WEIR_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM',
    kafka: 'ssl.endpoint.identification.algorithm',
    group: 'Security',
    type: oneOf('https', 'none'),
    meaning: "https (used when not set) checks that a broker's certificate carries its name.",
  }),
} as const
