import { shown } from './variable.ts'
import { type Values, type VariableKey, variables } from './variables.ts'

/** What is wrong with the settings of Cassandra together. @returns one line each */
export function cassandraProblems(values: Values): string[] {
  const { cassandraContactPoints, cassandraSsl, cassandraUsername, cassandraPassword } = values
  const isSsl = cassandraSsl === 'true'
  const problems: string[] = []
  const refuse = (keys: readonly VariableKey[], needs: string): void => {
    for (const key of keys) {
      const { env, secret } = variables[key]
      const value = values[key]
      if (value !== null) problems.push(`${env}=${shown(String(value), secret)}: only with ${needs}`)
    }
  }
  if (cassandraContactPoints === null)
    refuse(
      ['cassandraLocalDatacenter', 'cassandraUsername', 'cassandraPassword'],
      'WEIR_CASSANDRA_CONTACT_POINTS',
    )
  if (!isSsl)
    refuse(
      [
        'cassandraSslCaLocation',
        'cassandraSslCertificateLocation',
        'cassandraSslKeyLocation',
        'cassandraSslKeyPassword',
        'cassandraSslEndpointIdentificationAlgorithm',
      ],
      'WEIR_CASSANDRA_SSL=true',
    )
  if ((cassandraUsername === null) !== (cassandraPassword === null))
    problems.push('WEIR_CASSANDRA_USERNAME and WEIR_CASSANDRA_PASSWORD: both or none')
  const { cassandraSslCertificateLocation: certificate, cassandraSslKeyLocation: key } = values
  if (isSsl && (certificate === null) !== (key === null))
    problems.push('WEIR_CASSANDRA_SSL_CERTIFICATE_LOCATION and WEIR_CASSANDRA_SSL_KEY_LOCATION: both or none')
  return problems
}
