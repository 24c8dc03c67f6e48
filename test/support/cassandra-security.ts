import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

import { makeScratchDir } from '../services/scratch-dir.ts'

export const superuser = { username: 'cassandra', password: 'cassandra' }

export interface CassandraSecurity {
  /** Of cassandra.yaml: names, passwords and permissions; TLS beside plain text, at the same port. */
  readonly config: Readonly<Record<string, unknown>>
  /** PEM: the node's own certificate, which carries its address. */
  readonly caFile: string
}

export function makeCassandraSecurity(): CassandraSecurity {
  const folder = makeScratchDir('cassandra-security')
  const keystore = join(folder, 'node.p12')
  const caFile = join(folder, 'node.pem')
  const keytool = (...args: string[]): void => {
    const store = ['-keystore', keystore, '-storepass', 'password', '-alias', 'node']
    execFileSync('keytool', [...args, ...store], { stdio: 'pipe' })
  }
  keytool(
    ...['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2'],
    ...['-dname', 'CN=node', '-ext', 'SAN=ip:127.0.0.1', '-storetype', 'PKCS12', '-keypass', 'password'],
  )
  keytool('-exportcert', '-rfc', '-file', caFile)
  return {
    caFile,
    config: {
      authenticator: 'PasswordAuthenticator',
      authorizer: 'CassandraAuthorizer',
      client_encryption_options: {
        enabled: true,
        optional: true,
        keystore,
        keystore_password: 'password',
        store_type: 'PKCS12',
      },
    },
  }
}
