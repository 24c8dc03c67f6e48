/** Every operator has a section in docs/operators, and every example there is compiled and gives what it says. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'

import { BranchedStream } from '../../../src/dsl/branched-stream.ts'
import { GroupedStream } from '../../../src/dsl/grouped-stream.ts'
import { SessionWindowedStream } from '../../../src/dsl/session-windowed-stream.ts'
import { Stream } from '../../../src/dsl/stream.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { Table } from '../../../src/dsl/table.ts'
import { TimeWindowedStream } from '../../../src/dsl/time-windowed-stream.ts'
import { type DocumentedExample, examplesOf, runExample } from '../../support/documented-example.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const pagesFolder = path.join(root, 'docs/operators')
const pages = new Map(
  readdirSync(pagesFolder).map((page) => [page, readFileSync(path.join(pagesFolder, page), 'utf8')] as const),
)
const examples = [...pages].flatMap(([page, text]) =>
  examplesOf(text).map((example) => ({ page, ...example })),
)

/** Inside the repository, so that the compiler finds the types of Node. */
mkdirSync(path.join(root, 'build'), { recursive: true })
const folder = mkdtempSync(path.join(root, 'build/docs-'))
after(() => rmSync(folder, { recursive: true }))

const index = readFileSync(path.join(root, 'src/index.ts'), 'utf8')
const exported = [...index.matchAll(/^export (type )?\{([^}]*)\}/gms)].flatMap(([, isType, names]) =>
  names!
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => (isType === undefined ? name : `type ${name}`)),
)

/** Each line of the code at the line that it has in the page. */
function moduleOf({ code, line }: DocumentedExample): string {
  const used = exported.filter((name) => new RegExp(`\\b${name.replace('type ', '')}\\b`).test(code))
  const names = [...new Set(['defineTopology', ...used])].join(', ')
  const imports = `import { ${names} } from '../../src/index.ts'`
  return `${imports}; export default defineTopology((builder) => {${'\n'.repeat(line - 1)}${code}})\n`
}

const files = examples.map((example, number) => {
  const file = path.join(folder, `${example.page}-${number}.ts`)
  writeFileSync(file, moduleOf(example))
  return file
})

test('every operator has a section with an example', () => {
  // Pages of one theme, whose examples are tests of their own.
  const elsewhere = readdirSync(path.join(root, 'docs'))
    .filter((page) => page.endsWith('.md') && page !== 'guarantees.md')
    .map((page) => readFileSync(path.join(root, 'docs', page), 'utf8'))
    .join('\n')
  const headings = new Set(examples.flatMap(({ heading }) => heading.match(/\b[A-Z]\w+\.\w+/g) ?? []))
  const classes = {
    StreamsBuilder,
    Stream,
    BranchedStream,
    Table,
    GroupedStream,
    TimeWindowedStream,
    SessionWindowedStream,
  }
  const missing = Object.entries(classes).flatMap(([name, { prototype }]) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([method, { value }]) => typeof value === 'function' && method !== 'constructor')
      .map(([method]) => `${name}.${method}`)
      // What subclasses of WindowedStream have in common calls it.
      .filter((method) => !/^(Time|Session)WindowedStream\.table$/.test(method))
      .filter((method) => !headings.has(method) && !elsewhere.includes(`.${method.split('.')[1]}(`)),
  )
  assert.deepEqual(missing, [], 'docs/operators has no section with an example of these, and no other page')
})

test('the examples compile', () => {
  const project = path.join(folder, 'tsconfig.json')
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  writeFileSync(
    project,
    JSON.stringify({
      extends: '../../tsconfig.json',
      files,
      include: ['../../src/**/*.d.ts'],
      exclude: [],
      compilerOptions,
    }),
  )
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [compiler, '--noEmit', '-p', project], {
    encoding: 'utf8',
    cwd: folder,
  })
  // Line 12 of windows.md-3.ts is line 12 of windows.md.
  assert.equal(stdout, '')
})

describe('the examples give what they say', () => {
  for (const [number, { page, heading, line, records }] of examples.entries()) {
    test(`${page}:${line}: ${heading}`, async () => {
      const { default: topology } = await import(pathToFileURL(files[number]!).href)
      await runExample(topology, records)
    })
  }
})
