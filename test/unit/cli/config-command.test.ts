import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { reportConfig } from '../../../src/cli/config-command.ts'
import { variables } from '../../../src/config/variables.ts'
import { machine, minimal } from '../config/machine-fixture.ts'

const secrets = {
  WEIR_SECURITY_PROTOCOL: 'sasl_plaintext',
  WEIR_SASL_MECHANISM: 'PLAIN',
  WEIR_SASL_USERNAME: 'weir',
  WEIR_SASL_PASSWORD: 'hunter2',
  WEIR_CONSUMER_SSL_KEYSTORE_PASSWORD: 'hunter2',
}

describe('weir config', () => {
  test('prints every variable with value, default and meaning, and hides secrets', () => {
    const { text, problems } = reportConfig({ json: false }, { ...minimal, ...secrets }, machine)
    assert.deepEqual(problems, [])
    for (const { env, meaning } of Object.values(variables)) {
      assert.ok(text.includes(`  ${env}=`), env)
      assert.ok(text.includes(meaning), env)
    }
    assert.match(text, /WEIR_APPLICATION_ID=app {2}\(from the environment\)/)
    assert.match(text, /WEIR_COMMIT_INTERVAL_MS=30000\n/)
    assert.match(text, /WEIR_SASL_PASSWORD=\(hidden\)/)
    assert.match(text, /WEIR_CONSUMER_SSL_KEYSTORE_PASSWORD=\(hidden\)/)
    assert.match(text, /blockCache: 983 MiB/)
    assert.doesNotMatch(text, /hunter2/)
  })

  test('as JSON', () => {
    const { text } = reportConfig({ json: true }, { ...minimal, ...secrets }, machine)
    const parsed = JSON.parse(text) as {
      settings: { variable: string; value: unknown; default: string }[]
      problems: string[]
    }
    const setting = parsed.settings.find(({ variable }) => variable === 'WEIR_NUM_STREAM_THREADS')
    assert.equal(setting?.value, 2)
    assert.doesNotMatch(text, /hunter2/)
  })

  test('still prints when settings cannot be used, and says which', () => {
    const { text, problems } = reportConfig({ json: false }, { WEIR_HTTP_PORT: 'x' }, machine)
    assert.match(text, /WEIR_APPLICATION_ID=\(not set\)/)
    assert.equal(problems.length, 3)
  })
})
