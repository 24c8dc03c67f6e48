import assert from 'node:assert/strict'
import { test } from 'node:test'

import { examplesOf, runExample } from '../../support/run-example.ts'

const examples = examplesOf('aggregates.md')

test('docs/aggregates.md has examples', () => assert.ok(examples.length > 0))

for (const [index, code] of examples.entries()) {
  test(`example ${index + 1} of docs/aggregates.md passes`, () => {
    assert.match(runExample(code), /^# pass 1$/m)
  })
}
