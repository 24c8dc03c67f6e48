/** Credentials and ACLs: what a broker refuses is named in one line. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { adminConfig } from '../../src/config/clients.ts'
import { configFrom } from '../../src/config/load.ts'
import { Admin } from '../../src/native.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { runKafkaTool } from '../services/kafka-tools.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { type ExitResult, runWeir } from '../support/weir-process.ts'

const module = 'test/support/topologies/count.ts'

/** Whoever has a password may connect; only `admin` may do everything. */
const properties = {
  'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
  'sasl.enabled.mechanisms': 'PLAIN',
  'sasl.mechanism.inter.broker.protocol': 'PLAIN',
  'listener.name.plaintext.plain.sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="admin" ' +
    'user_admin="admin" user_alice="alice";',
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:admin;User:ANONYMOUS',
}

describe('a cluster with credentials and ACLs', () => {
  let kafka: KafkaService
  let admin: Admin
  before(async () => {
    kafka = await startKafka({ properties })
    const config = configFrom({
      applicationId: 'test',
      bootstrapServers: kafka.bootstrapServers,
      securityProtocol: 'sasl_plaintext',
      saslMechanism: 'PLAIN',
      saslUsername: 'admin',
      saslPassword: 'admin',
    })
    admin = new Admin(adminConfig(config))
    const topic = (name: string) => ({ name, partitions: 2, replicationFactor: -1, config: {} })
    assert.deepEqual(await admin.createTopics([topic('input'), topic('counts')], 30_000), [])
  })
  after(async () => {
    await admin.close()
    await kafka.stop()
  })

  function run(password: string): Promise<ExitResult> {
    return runWeir(
      ['run', module],
      {
        WEIR_APPLICATION_ID: 'secured',
        WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
        WEIR_STATE_DIR: makeScratchDir('security'),
        WEIR_HTTP_PORT: '-1',
        WEIR_NUM_STREAM_THREADS: '1',
        WEIR_SECURITY_PROTOCOL: 'sasl_plaintext',
        WEIR_SASL_MECHANISM: 'PLAIN',
        WEIR_SASL_USERNAME: 'alice',
        WEIR_SASL_PASSWORD: password,
      },
      120_000,
    )
  }

  function assertLine({ code, stderr }: ExitResult, pattern: RegExp): void {
    assert.equal(code, 1, stderr)
    const lines = stderr.split('\n').filter((line) => line.startsWith('weir: '))
    assert.equal(lines.length, 1, stderr)
    assert.match(lines[0]!, pattern)
  }

  /** @param acls what AclCommand calls it */
  async function grant(...acls: (readonly string[])[]): Promise<void> {
    const file = join(makeScratchDir('security'), 'admin.properties')
    writeFileSync(
      file,
      'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=' +
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="admin";\n',
    )
    const connection = ['--bootstrap-server', kafka.bootstrapServers, '--command-config', file]
    for (const acl of acls) {
      await runKafkaTool('org.apache.kafka.tools.AclCommand', [
        ...connection,
        ...['--add', '--allow-principal', 'User:alice'],
        ...acl,
      ])
    }
  }

  test('a wrong password', async () => {
    assertLine(await run('wrong'), /refuse the credentials|authentication/i)
  })

  test('a source topic that may not be described', async () => {
    assertLine(await run('alice'), /an ACL denies.*input/)
  })

  test('an internal topic that may not be created', async () => {
    await grant(['--operation', 'Read', '--topic', 'input'], ['--operation', 'Write', '--topic', 'counts'])
    assertLine(await run('alice'), /secured-counts-changelog.*(denied|authoriz|authoris)/i)
  })

  test('a group that may not be joined', async () => {
    await grant(['--operation', 'All', '--topic', 'secured-', '--resource-pattern-type', 'prefixed'])
    assertLine(await run('alice'), /group.*(denied|authoriz|authoris)/i)
  })
})
