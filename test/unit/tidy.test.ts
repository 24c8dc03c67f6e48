/** The layout's rules, read off the files: what may import what, what may name what, and that nothing lies about unused. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'

const root = path.resolve(import.meta.dirname, '../..')
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '')
const textFiles = files.filter(
  (file) => /\.(ts|cc|h|md|sh|json|gyp|java|ya?ml)$/.test(file) || path.basename(file) === 'Dockerfile',
)
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')
const sources = files.filter(
  (file) => file.startsWith('src/') && file.endsWith('.ts') && !file.endsWith('.d.ts'),
)

/** Every relative import of a TypeScript file, as paths from the root. */
function imports(file: string): string[] {
  return [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, to]) =>
    path.normalize(path.join(path.dirname(file), to!)),
  )
}

/** `src/state/store.ts` -> `state`; files directly in src have no stage. */
function stage(file: string): string | null {
  const parts = file.split('/')
  return parts[0] === 'src' && parts.length > 2 ? parts[1]! : null
}

test('imports run one way: dsl -> topology -> runtime -> stages, and a stage imports neither the runtime nor what is above it', () => {
  const above: Record<string, string[]> = {
    consume: ['runtime', 'dsl', 'cli'],
    serde: ['runtime', 'dsl', 'cli', 'topology', 'consume', 'process', 'state', 'produce', 'commit'],
    process: ['runtime', 'dsl', 'cli', 'commit'],
    state: ['runtime', 'dsl', 'cli', 'commit'],
    produce: ['runtime', 'dsl', 'cli', 'commit'],
    commit: ['runtime', 'dsl', 'cli'],
    errors: ['runtime', 'dsl', 'cli', 'topology', 'process', 'state', 'produce', 'commit', 'consume'],
    topology: ['runtime', 'cli'],
    runtime: ['cli'],
    observe: ['cli'],
  }
  const wrong = sources.flatMap((file) =>
    imports(file)
      .filter((to) => above[stage(file) ?? '']?.includes(stage(to) ?? ''))
      .map((to) => `${file} imports ${to}`),
  )
  assert.deepEqual(wrong, [])
})

/** What a TypeScript file loads when it is imported: without types, and without what it imports while it runs. */
function loads(file: string): string[] {
  const pattern = /^(?:import\s(?!type\s)[^']*?|export\s(?:\{[^}]*\}|\*[^']*?)\s*)from\s+'([^']+)'/gm
  return [...read(file).matchAll(pattern)].map(([, to]) => to!)
}

test('a stream thread, which imports the topology and with it the public face, loads no package and nothing of the main thread', () => {
  const loaded = new Set(['src/index.ts', 'src/runtime/stream-thread-job.ts'])
  const packages = new Set<string>()
  for (const file of loaded) {
    for (const to of loads(file)) {
      if (to.startsWith('.')) loaded.add(path.normalize(path.join(path.dirname(file), to)))
      else if (!to.startsWith('node:')) packages.add(to)
    }
  }
  assert.ok(loaded.size > 100, `${loaded.size} files`)
  assert.deepEqual([...packages], [])
  const ofMainThread = ['launch-application', 'application', 'thread-pool'].map(
    (name) => `src/runtime/${name}.ts`,
  )
  assert.deepEqual(
    ofMainThread.filter((file) => loaded.has(file)),
    [],
  )
})

test('only src/native loads the addon, which all others import from src/native.ts, and only native/binding knows Node', () => {
  const loads = sources.filter((file) => /weir\.node/.test(read(file)))
  assert.deepEqual(loads, ['src/native/addon.ts'])
  const importsParts = files.filter(
    (file) =>
      file.endsWith('.ts') &&
      file !== 'src/native.ts' &&
      stage(file) !== 'native' &&
      imports(file).some((to) => to.startsWith('src/native/')),
  )
  assert.deepEqual(importsParts, [])
  const knowsNode = files.filter(
    (file) =>
      /^native\/.*\.(cc|h)$/.test(file) && /#include\s*[<"](napi|node_api|uv|v8|node)\b/.test(read(file)),
  )
  assert.deepEqual(
    knowsNode.filter((file) => !file.startsWith('native/binding/')),
    [],
  )
})

test('every source file is used', () => {
  const entries = new Set([
    'src/index.ts',
    'src/cli/main.ts',
    'src/runtime/stream-thread-job.ts',
    'src/runtime/global/global-thread-job.ts',
    'src/testing/index.ts',
  ])
  const used = new Set(files.filter((file) => file.endsWith('.ts')).flatMap(imports))
  const named = textFiles
    .filter((file) => !file.startsWith('test/'))
    .map(read)
    .join('\n')
  const dead = sources.filter(
    (file) => !entries.has(file) && !used.has(file) && !named.includes(path.basename(file)),
  )
  assert.deepEqual(dead, [])
})

test('nothing names a machine, a home folder or a registry', () => {
  const pattern =
    /(?:^|[\s"'`(=])\/(?:work|root|home)\/|registry\.npmjs|repo1?\.maven\.apache|deb\.debian\.org|pypi\.org\//m
  const wrong = textFiles.filter((file) => file !== 'test/unit/tidy.test.ts' && pattern.test(read(file)))
  assert.deepEqual(wrong, [])
})

test('a file holds one concept: none is longer than 600 lines, tables included (tests: 800)', () => {
  const long = files
    .filter((file) => /\.(ts|cc|h|java|sh)$/.test(file))
    .map((file) => ({ file, lines: read(file).split('\n').length }))
    .filter(({ file, lines }) => lines > (/\btest\//.test(file) ? 800 : 600))
  assert.deepEqual(long, [])
})

test('no work is left behind as a note', () => {
  const note = /\b(?:TODO|FIXME|XXX)\b/
  const wrong = textFiles.filter((file) => file !== 'test/unit/tidy.test.ts' && note.test(read(file)))
  assert.deepEqual(wrong, [])
})
