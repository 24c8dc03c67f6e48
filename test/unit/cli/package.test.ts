/**
 * The package as npm packs it, installed by npm into an empty project where no compiler is to be found: it runs word count on a real broker, and its types are
 * those that a project of TypeScript sees. What an addon that does not load leads to. WEIR_TEST_PACKAGE=full also builds the addon from the package's sources.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import { createTopics, produceAll, waitUntilConsumed } from '../../../examples/support/kafka.ts'
import { readCounts } from '../../../examples/word-count/show.ts'
import { type KafkaService, startKafka } from '../../services/kafka.ts'
import { childEnvironment, WeirProcess } from '../../support/weir-process.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../../..')

/** What npm, the package's scripts and a shell need. No compiler, no make, no Python. */
const tools =
  `sh bash env npm dirname basename mkdir mktemp rm mv ln cp cat cut find flock grep ldd nproc readlink sed sha256sum sort tail tar
  tr uname xargs awk base64 date od setpriv`.split(/\s+/)

/** As a user writes it, with the types that the package declares. */
const wordCount = `import { defineTopology, serdes, type TopologyModule } from 'weir'

const wordsOf = (line: string): string[] => line.toLowerCase().match(/\\p{L}+/gu) ?? []

const topology: TopologyModule = defineTopology((builder) => {
  builder
    .stream('lines', { key: serdes.string, value: serdes.string })
    .flatMapValues(wordsOf)
    .groupBy(({ value: word }) => word, { key: serdes.string, value: serdes.string })
    .count({ store: 'word-counts' })
    .toStream()
    .to('word-counts')
})

export default topology
`

const topologyTest = `import { serdes, defineTopology } from 'weir'
import { TopologyTestDriver } from 'weir/testing'

const strings = { key: serdes.string, value: serdes.string }
const topology = defineTopology((builder) => {
  builder.stream('in', strings).mapValues((text) => text.length).to('out', { value: serdes.int32 })
})
await using driver = await TopologyTestDriver.open(topology)
await driver.createInputTopic('in', strings).pipeInput('a', 'three')
const length: number | null = driver.createOutputTopic('out', { key: serdes.string, value: serdes.int32 }).readValue()
console.log(length)
`

interface Failure {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

describe('the package', { timeout: 300_000 }, () => {
  let kafka: KafkaService
  let project = ''
  let installed = ''
  let packed: string[] = []
  let env: NodeJS.ProcessEnv = {}

  before(async () => {
    project = await mkdtemp(path.join(tmpdir(), 'weir-package-'))
    installed = path.join(project, 'node_modules/weir')
    const starting = startKafka()
    await Promise.all([starting, install()])
    kafka = await starting
  })

  after(async () => {
    await kafka?.stop()
    await rm(project, { recursive: true, force: true })
  })

  async function install(): Promise<void> {
    await run('bash', ['scripts/build.sh'], { cwd: root })
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], {
      cwd: root,
      maxBuffer: 2 ** 24,
    })
    const [{ files, filename }] = JSON.parse(stdout) as [{ files: { path: string }[]; filename: string }]
    packed = files.map((file) => file.path)
    const bin = path.join(project, 'bin')
    await mkdir(bin)
    await symlink(process.execPath, path.join(bin, 'node'))
    for (const tool of tools) {
      const { stdout: found } = await run('sh', ['-c', `command -v ${tool}`])
      await symlink(found.trim(), path.join(bin, tool))
    }
    env = childEnvironment({ PATH: bin, LD_PRELOAD: '', WEIR_MEMORY_BYTES: '512MiB' })
    await writeProject(filename)
    await run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: project, env })
  }

  /** An empty project that depends on the packed file. The versions of all else are this clone's, so that npm has them in its cache. */
  async function writeProject(filename: string): Promise<void> {
    const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; devDependencies?: object; peer?: boolean }>
    }
    const { devDependencies, ...weir } = lock.packages['']!
    const types = ['node_modules/@types/node', 'node_modules/undici-types']
    const others = Object.entries(lock.packages).flatMap(([name, entry]) => {
      if (name === '' || (entry.dev === true && !types.includes(name))) return []
      const { dev, ...kept } = entry
      return [[name, kept] as const]
    })
    const own = { weir: `file:${filename}`, '@types/node': '*' }
    const manifest = { name: 'empty', version: '1.0.0', private: true, type: 'module', dependencies: own }
    const packages = {
      '': manifest,
      'node_modules/weir': { ...weir, resolved: `file:${filename}` },
      ...Object.fromEntries(others),
    }
    await writeFile(path.join(project, 'package.json'), JSON.stringify(manifest))
    await writeFile(
      path.join(project, 'package-lock.json'),
      JSON.stringify({ name: 'empty', version: '1.0.0', lockfileVersion: 3, requires: true, packages }),
    )
    await writeFile(path.join(project, 'word-count.ts'), wordCount)
    await writeFile(path.join(project, 'topology.test.ts'), topologyTest)
  }

  /** Runs a command in the project that fails. */
  async function failureOf(command: string, args: readonly string[]): Promise<Failure> {
    try {
      await run(command, args, { cwd: project, env })
    } catch (error) {
      return error as Failure
    }
    throw new Error(`${command} ${args.join(' ')} did not fail`)
  }

  test('holds what runs, and the sources of the addon', () => {
    for (const file of [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/testing/index.js',
      'dist/testing/index.d.ts',
      // Workers begin with them.
      'dist/chunks/stream-thread-job.js',
      'dist/chunks/global-thread-job.js',
      // The console's page.
      'dist/console/page/index.html',
      'dist/console/page/console.js',
      'build/Release/weir.node',
      'binding.gyp',
      'native/binding/addon.cc',
      'scripts/install.sh',
      'scripts/setup/libraries.mk',
      'LICENSE',
      'README.md',
    ])
      assert.ok(packed.includes(file), `${file} is missing`)
    const known =
      /^(dist\/|build\/Release\/weir\.node$|native\/(?!test\/)|scripts\/(install\.sh|setup\.sh|setup\/.*)$|[^/]+$)/
    assert.deepEqual(
      packed.filter((file) => !known.test(file)),
      [],
    )
  })

  test('the addon links nothing but the C and C++ run-time libraries, which Node needs as well', async () => {
    const linked = async (file: string): Promise<string[]> => {
      const { stdout } = await run('ldd', [file])
      return [...stdout.matchAll(/^\s*(?:\S*\/)?([^\s/]+\.so[^\s]*)/gm)].map(([, name]) => name!)
    }
    const node = await linked(process.execPath)
    const addon = await linked(path.join(installed, 'build/Release/weir.node'))
    assert.ok(addon.includes('libc.so.6'))
    assert.deepEqual(
      addon.filter((name) => !node.includes(name)),
      [],
    )
  })

  test('no compiler is to be found in the project', async () => {
    for (const name of ['gcc', 'g++', 'cc', 'c++', 'clang', 'make', 'python3'])
      await assert.rejects(run('sh', ['-c', `command -v ${name}`], { env }), name)
  })

  test('runs the demo', async () => {
    const weir = path.join(project, 'node_modules/.bin/weir')
    const args = ['demo', '--plain', '--records', '2000', '--threads', '1']
    const { stdout } = await run(weir, args, { cwd: project, env })
    assert.match(stdout, /^Processed 2,000 events in /m)
  })

  test("its declarations are what a project's tsc takes, with every check on", async () => {
    const options = {
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      noEmit: true,
    }
    const check = async (file: string): Promise<unknown> => {
      const config = path.join(project, 'tsconfig.json')
      await writeFile(config, JSON.stringify({ compilerOptions: options, include: [file] }))
      const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
      return await run(process.execPath, [tsc, '-p', config], { cwd: project })
    }
    await check('*.ts')
    await writeFile(path.join(project, 'wrong.ts'), wordCount.replace("'word-counts'", '5'))
    await assert.rejects(check('wrong.ts'), ({ stdout }: Failure) => /^wrong\.ts\(10,.*TS2322/m.test(stdout))
  })

  test('tests a topology: both entries are of one Weir', async () => {
    const { stdout } = await run('node', ['topology.test.ts'], { cwd: project, env })
    assert.equal(stdout, '5\n')
  })

  test('counts words on a broker where io_uring is forbidden, and says so with what runs', async () => {
    const launcher = path.join(project, 'without-io-uring')
    await run('cc', ['-o', launcher, path.join(root, 'test/support/without-io-uring.c')])
    const { bootstrapServers } = kafka
    await createTopics(bootstrapServers, { lines: 2, 'word-counts': 2 })
    const lines = Array.from({ length: 1_000 }, (_, index) => ({
      topic: 'lines',
      key: null,
      value: index % 2 === 0 ? 'the stream goes on' : 'and on',
      timestamp: 1_000,
    }))
    await produceAll(bootstrapServers, lines)
    await using worker = await WeirProcess.start({
      command: [launcher, path.join(project, 'node_modules/.bin/weir'), 'run'],
      module: 'word-count.ts',
      sources: project,
      applicationId: 'words',
      bootstrapServers,
      stateDir: path.join(project, 'state'),
      env: { PATH: env.PATH!, WEIR_NUM_STREAM_THREADS: '1', WEIR_COMMIT_INTERVAL_MS: '200' },
    })
    await worker.ready()
    const topics = ['lines', 'words-word-counts-repartition']
    await worker.whileRunning(waitUntilConsumed(bootstrapServers, 'words', topics, { timeoutMs: 60_000 }))
    const health = (await (await fetch(`http://127.0.0.1:${worker.httpPort}/healthz`)).json()) as Health
    const { version } = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as {
      version: string
    }
    assert.equal(health.status, 'ok')
    assert.equal(health.versions.weir, version)
    for (const library of ['librdkafka', 'rocksdb'])
      assert.match(health.versions[library]!, /^\d+\.\d+\.\d+$/)
    const reason = 'io_uring_setup: Operation not permitted'
    assert.deepEqual(health.coldReads, { by: 'read-threads', reason })
    const linesWith = (text: string): Record<string, unknown>[] =>
      worker.output
        .split('\n')
        .filter((line) => line.startsWith('{') && line.includes(text))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    const [started] = linesWith('"application starts"')
    assert.deepEqual(
      [started?.weir, started?.librdkafka, started?.rocksdb, started?.coldReads],
      [version, health.versions.librdkafka, health.versions.rocksdb, 'read-threads'],
    )
    assert.deepEqual(
      linesWith('io_uring cannot be used').map(({ level, reason }) => [level, reason]),
      [['warn', reason]],
    )
    await worker.stop()
    const counts = await readCounts(bootstrapServers)
    assert.deepEqual(Object.fromEntries(counts), { the: 500, stream: 500, goes: 500, on: 1_000, and: 500 })
  })

  describe('with an addon that does not load', () => {
    // The last tests of all.
    before(() => writeFile(path.join(installed, 'build/Release/weir.node'), 'of another kind of machine'))

    test('a command says so in one line, and what to do', async () => {
      const { code, stderr } = await failureOf('node_modules/.bin/weir', ['run', 'word-count.ts'])
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^weir: [^\n]*the native addon does not load on this machine: [^\n]*npm rebuild weir[^\n]*\n$/,
      )
    })

    test('the install script says in one line what a build from source needs that is not there', async () => {
      const { code, stderr } = await failureOf('sh', ['node_modules/weir/scripts/install.sh'])
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^weir: the addon in the package does not load here \([^\n]*\); building it from source/,
      )
      assert.match(stderr, /^setup: building the addon needs g\+\+ make python3 [^\n]*npm rebuild weir$/m)
    })

    test('the install script builds it from the sources that the package carries', {
      skip: process.env.WEIR_TEST_PACKAGE === 'full' ? false : 'minutes: WEIR_TEST_PACKAGE=full',
    }, async () => {
      // As npm does; the compiler is where it always is.
      const withCompiler = childEnvironment({ npm_config_foreground_scripts: 'true' })
      await run('npm', ['rebuild', 'weir'], { cwd: project, env: withCompiler, maxBuffer: 2 ** 26 })
      const { stdout } = await run(
        'node',
        ['-e', "import('weir').then((weir) => console.log(typeof weir.serdes))"],
        {
          cwd: project,
          env,
        },
      )
      assert.equal(stdout, 'object\n')
    })
  })
})

interface Health {
  readonly status: string
  readonly versions: Readonly<Record<string, string>>
  readonly coldReads: { readonly by: string; readonly reason?: string }
}
