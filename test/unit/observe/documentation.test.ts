import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { metricsDocument } from '../../../src/observe/documentation.ts'

test('docs/metrics.md is what the catalogue says; npm run docs writes it anew', () => {
  const committed = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
  assert.equal(committed, metricsDocument())
})
