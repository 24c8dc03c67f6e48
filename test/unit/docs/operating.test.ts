/** The figures of docs/operating.md: the worked example is what the code makes of it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { reportConfig } from '../../../src/cli/config-command.ts'
import { errorCodes } from '../../../src/errors/codes.ts'
import { machine, minimal } from '../config/machine-fixture.ts'

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/operating.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text!)

/** What `weir config` ends with for these settings on a machine of 16 cores. */
function divided(settings: Readonly<Record<string, string>>): string {
  const { text, problems } = reportConfig(
    { json: false },
    { ...minimal, ...settings },
    { ...machine, cores: 16, memoryBytes: 64 * 2 ** 30, memoryLimitBytes: null },
  )
  assert.deepEqual(problems, [])
  return text.slice(text.indexOf('Memory as divided'))
}

test('the worked example is divided as the page says', () => {
  const [example = ''] = blocks('sh')
  const settings = Object.fromEntries(
    example
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  )
  const [small, large] = blocks('text')
  assert.equal(divided(settings), small)
  assert.equal(divided({ ...settings, WEIR_MEMORY_BYTES: '48GiB' }), large)
})

test('the variables, metrics and errors that it names are there', () => {
  const known = ['configuration', 'metrics'].map((name) =>
    readFileSync(path.resolve(import.meta.dirname, `../../../docs/${name}.md`), 'utf8'),
  )
  const isPassedThrough = /^WEIR_(PRODUCER|CONSUMER|ADMIN)_/
  for (const [name] of page.matchAll(/\bWEIR_[A-Z0-9_]+\b|\bweir_[a-z_]+\b/g)) {
    const plain = name.replace(/_(count|sum|bucket)$/, '')
    if (!isPassedThrough.test(name))
      assert.ok(
        known.some((text) => text.includes(`\`${plain}\``)),
        name,
      )
  }
  const codes = [...page.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, code]) => code!)
  const others = ['range-join', 'read-threads']
  assert.deepEqual(
    codes.filter((code) => !Object.hasOwn(errorCodes, code) && !others.includes(code)),
    [],
  )
})
