/** The built package, with exactly the files that npm would pack, as it is when another project has installed it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../../..')

interface Manifest {
  readonly bin: { readonly weir: string }
  readonly dependencies: Readonly<Record<string, string>>
}

describe('the package', { timeout: 300_000 }, () => {
  let project = ''
  let installed = ''
  let manifest: Manifest
  let packed: string[] = []

  before(async () => {
    await run('bash', ['scripts/build.sh'], { cwd: root })
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], { cwd: root, maxBuffer: 2 ** 24 })
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
    packed = files.map((file) => file.path)
    project = await mkdtemp(path.join(tmpdir(), 'weir-package-'))
    installed = path.join(project, 'node_modules/weir')
    for (const file of packed) await cp(path.join(root, file), path.join(installed, file))
    manifest = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Manifest
    // What it names as its dependencies, and nothing else of this clone's.
    for (const name of Object.keys(manifest.dependencies)) {
      const link = path.join(installed, 'node_modules', name)
      await mkdir(path.dirname(link), { recursive: true })
      await symlink(path.join(root, 'node_modules', name), link)
    }
  })

  after(() => rm(project, { recursive: true, force: true }))

  test('holds what runs, and no sources that only a clone can build', () => {
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
      'LICENSE',
      'README.md',
    ])
      assert.ok(packed.includes(file), `${file} is missing`)
    const others = packed.filter((file) => !/^(dist\/|build\/Release\/weir\.node$|[^/]+$)/.test(file))
    assert.deepEqual(others, [])
    // With it npm would run node-gyp in every project that installs Weir.
    assert.ok(!packed.includes('binding.gyp'))
  })

  test('runs the demo', async () => {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WEIR_'))
    const { stdout } = await run(
      process.execPath,
      [path.join(installed, manifest.bin.weir), 'demo', '--plain', '--records', '2000', '--threads', '1'],
      { cwd: project, env: { ...Object.fromEntries(inherited), WEIR_MEMORY_BYTES: '512MiB' } },
    )
    assert.match(stdout, /^Processed 2,000 events in /m)
  })

  test('gives another project its public face', async () => {
    const script =
      "import { defineTopology, serdes } from 'weir'; console.log(typeof defineTopology, serdes.string.name)"
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project })
    assert.match(stdout, /^function \S+\n$/)
  })

  test('tests a topology of another project: both entries are of one Weir', async () => {
    const script = `
      import { defineTopology, serdes } from 'weir'
      import { TopologyTestDriver } from 'weir/testing'
      const strings = { key: serdes.string, value: serdes.string }
      const topology = defineTopology((builder) => builder.stream('in', strings).mapValues((text) => text.length).to('out', { value: serdes.int32 }))
      await using driver = await TopologyTestDriver.open(topology)
      await driver.createInputTopic('in', strings).pipeInput('a', 'three')
      console.log(driver.createOutputTopic('out', { key: serdes.string, value: serdes.int32 }).readValue())`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project })
    assert.equal(stdout, '5\n')
  })
})
