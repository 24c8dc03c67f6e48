import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const minimal = { WEIR_APPLICATION_ID: 'app', WEIR_BOOTSTRAP_SERVERS: '127.0.0.1:1' }

function weir(args: readonly string[], environment: Record<string, string> = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WEIR_'))
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    env: { ...Object.fromEntries(inherited), ...environment },
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr, lines: stderr.split('\n').filter((line) => line !== '') }
}

const folder = mkdtempSync(join(tmpdir(), 'weir-cli-'))
function moduleOf(name: string, source: string): string {
  const path = join(folder, name)
  writeFileSync(path, source)
  return path
}

const tunedTopology = `import { defineTopology, serdes } from ${JSON.stringify(new URL('../../../src/index.ts', import.meta.url).href)}
export default defineTopology((builder) => {
  builder.stream('in', { key: serdes.string, value: serdes.string }).groupByKey().count({ store: 'counts', rocksdb: { block_sise: 1 } })
})`

describe('weir', () => {
  test('--help names the commands', () => {
    const { status, stdout } = weir(['--help'])
    assert.equal(status, 0)
    for (const command of [
      'run',
      'demo',
      'describe',
      'config',
      'top',
      'lag',
      'state',
      'reset',
      'dlq',
      'schemas',
      'codegen',
      'cassandra',
      'completion',
    ])
      assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'))
  })

  test('completion prints a script; exit code 0', () => {
    const { status, stdout, lines } = weir(['completion', 'zsh'])
    assert.deepEqual([status, lines], [0, []])
    assert.match(stdout, /^#compdef weir\n/)
  })

  test('top: a worker that does not answer is one line, exit code 1', () => {
    const { status, stdout, lines } = weir(['top', '--once', '127.0.0.1:1'])
    assert.deepEqual([status, stdout, lines.length], [1, '', 1])
    assert.match(lines[0]!, /^weir: no worker answers at http:\/\/127\.0\.0\.1:1\/metrics: /)
  })

  test('config prints settings; exit code 0', () => {
    const { status, stdout, lines } = weir(['config'], minimal)
    assert.deepEqual([status, lines], [0, []])
    assert.match(stdout, /WEIR_APPLICATION_ID=app/)
  })

  test('config prints settings, and one line for each that cannot be used; exit code 2', () => {
    const { status, stdout, lines } = weir(['config'], {
      ...minimal,
      WEIR_HTTP_PORT: 'x',
      WEIR_NUM_THREADS: '1',
    })
    assert.equal(status, 2)
    assert.match(stdout, /WEIR_APPLICATION_ID=app/)
    assert.deepEqual(lines, [
      'weir: WEIR_HTTP_PORT=x: expected an integer from -1 to 65535',
      'weir: WEIR_NUM_THREADS is no setting of Weir: did you mean WEIR_NUM_STREAM_THREADS?',
    ])
  })

  const refused: readonly (readonly [
    args: readonly string[],
    environment: Record<string, string>,
    line: RegExp,
  ])[] = [
    [['run'], minimal, /^weir: missing required argument 'module'$/],
    [['rum', 'x.ts'], minimal, /^weir: unknown command 'rum'/],
    [
      ['demo', '--records', '0'],
      {},
      /^weir: option '--records <count>' argument '0' is invalid\. Expected an integer of at least 1\.$/,
    ],
    [['demo', '--recrods', '1'], {}, /^weir: unknown option '--recrods'/],
    [['demo'], { WEIR_COMMIT_INTERVAL_MS: '-1' }, /^weir: WEIR_COMMIT_INTERVAL_MS=-1: expected/],
    [['run', 'x.ts'], { ...minimal, WEIR_HTTP_PORT: 'x' }, /^weir: WEIR_HTTP_PORT=x: expected/],
    [['run', 'no-such.ts'], minimal, /^weir: no-such\.ts: there is no such file$/],
    [
      ['state', '/no-such-folder'],
      {},
      /^weir: \/no-such-folder is no state folder: there is no such folder; /,
    ],
    [['reset', 'no-such.ts'], minimal, /^weir: no-such\.ts: there is no such file$/],
    [
      ['reset', '--to-latest', '--shift-by', '-1'],
      minimal,
      /^weir: option '--shift-by <count>' cannot be used with option '--to-latest'$|^weir: option '--to-latest' cannot be used with option '--shift-by <count>'$/,
    ],
    [['reset', '--to-offset', 'x'], minimal, /^weir: --to-offset x: expected an integer of at least 0$/],
    [
      ['reset', '--force'],
      minimal,
      /^weir: --force: librdkafka cannot remove the members of a group; stop them/,
    ],
    [
      ['reset', '--input-topics', 'a,,b'],
      minimal,
      /^weir: option '--input-topics <topics>' argument 'a,,b' is invalid\. Expected topics' names, separated by commas\.$/,
    ],
    [['lag', 'no-such.ts'], minimal, /^weir: no-such\.ts: there is no such file$/],
    [['lag', 'x.ts'], { ...minimal, WEIR_HTTP_PORT: 'x' }, /^weir: WEIR_HTTP_PORT=x: expected/],
    [
      ['lag', 'x.ts', '--interval', '0'],
      minimal,
      /^weir: option '--interval <seconds>' argument '0' is invalid\. Expected seconds, from 0\.1 to 3600\.$/,
    ],
    [['top', 'http://'], {}, /^weir: top http:\/\/: expected host:port or an http URL$/],
    [['completion', 'csh'], {}, /^weir: command-argument value 'csh' is invalid for argument 'shell'/],
    [['describe', 'no-such.ts'], {}, /^weir: no-such\.ts: there is no such file$/],
    [['run', moduleOf('throws.ts', "throw new Error('boom')")], minimal, /throws\.ts: boom$/],
    [
      ['run', moduleOf('nothing.ts', 'export default 1')],
      minimal,
      /nothing\.ts: its default export is no topology/,
    ],
    [
      ['run', moduleOf('tuned.ts', tunedTopology)],
      minimal,
      /^weir: store counts: rocksdb: block_sise: RocksDB has no setting block_sise; did you mean block_size\?$/,
    ],
  ]
  for (const [args, environment, line] of refused) {
    test(`${args.map((arg) => arg.replace(/.*\//, '')).join(' ')} ${Object.keys(environment).at(-1) ?? ''}: one line, exit code 2`, () => {
      const { status, stderr, lines } = weir(args, environment)
      assert.equal(status, 2, stderr)
      assert.match(lines[0] ?? '', line)
      assert.ok(lines.length === 1 || /^\(Did you mean/.test(lines[1] ?? ''), stderr)
    })
  }
})
