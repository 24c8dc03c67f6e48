import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { configurationDocument } from '../../../src/config/documentation.ts'
import { variables } from '../../../src/config/variables.ts'

test('docs/configuration.md is what the tables say; npm run docs writes it anew', () => {
  const committed = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  assert.equal(committed, configurationDocument())
})

test('every variable is documented', () => {
  const document = configurationDocument()
  for (const { env } of Object.values(variables)) assert.ok(document.includes(`| \`${env}\` |`), env)
})
