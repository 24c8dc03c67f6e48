import assert from 'node:assert/strict'
import { test } from 'node:test'

import { examplesOf, runExample } from '../../support/run-example.ts'

test('the example of docs/testing.md passes', () => {
  const report = runExample(examplesOf('testing.md')[0]!)
  assert.match(report, /^ok 1 - words are counted$/m)
  assert.match(report, /^# pass 1$/m)
})
