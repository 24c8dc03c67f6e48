import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

import { consumerConfig, restoreConfig } from '../../../src/config/clients.ts'
import { describeSettings } from '../../../src/config/describe-settings.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { readSettings } from '../../../src/config/settings.ts'
import { machine } from './machine-fixture.ts'

const required = { WEIR_APPLICATION_ID: 'shop', WEIR_BOOTSTRAP_SERVERS: 'kafka:9092' }
const token = 'a-token-that-nobody-reads'

test('the HTTP token comes from a file, and is shown nowhere', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weir-token-'))
  try {
    const file = path.join(folder, 'token')
    writeFileSync(file, `${token}\n`)
    const environment = { ...required, WEIR_HTTP_TOKEN_FILE: file }
    assert.equal(loadConfig(environment, machine).httpToken, token)
    const described = describeSettings(readSettings(environment, machine))
    assert.doesNotMatch(JSON.stringify(described), new RegExp(token))
    assert.equal(described.find(({ variable }) => variable === 'WEIR_HTTP_TOKEN')?.value, '(hidden)')
  } finally {
    rmSync(folder, { recursive: true })
  }
  assert.equal(loadConfig(required, machine).httpToken, null)
})

for (const wrong of ['too-short', 'sixteen letters, and blanks', `${'x'.repeat(257)}`]) {
  test(`no token: ${wrong.slice(0, 30)}`, () => {
    const { problems } = readSettings({ ...required, WEIR_HTTP_TOKEN: wrong }, machine)
    assert.deepEqual(problems, [
      'WEIR_HTTP_TOKEN=(hidden): expected 16 to 256 letters, digits or any of -._~+/, such as `openssl rand -hex 32` makes',
    ])
  })
}

test('where a process serves goes with the name of its group consumer, and of no other client', () => {
  const config = loadConfig({ ...required, WEIR_APPLICATION_SERVER: '10.0.0.7:8080' }, machine)
  assert.equal(consumerConfig(config)['client.id'], 'shop-consumer@10.0.0.7:8080')
  assert.equal(restoreConfig(config)['client.id'], 'shop-restore')
  assert.equal(consumerConfig(loadConfig(required, machine))['client.id'], 'shop-consumer')
  const { problems } = readSettings({ ...required, WEIR_APPLICATION_SERVER: 'http://me:80' }, machine)
  assert.deepEqual(problems, ['WEIR_APPLICATION_SERVER=http://me:80: expected host:port'])
})
