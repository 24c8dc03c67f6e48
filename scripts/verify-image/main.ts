/** Tries the image that scripts/verify-image.sh has built, and writes deploy/image-report.md. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { Checks } from './checks.ts'
import { runInImage } from './container.ts'
import { fileBytes, type ImageConfig, layerBytes, readImageConfig } from './image.ts'
import { reportText } from './report.ts'
import { tryWordCount } from './word-count.ts'

const DEMO_EVENTS = 200_000

const { values } = parseArgs({
  options: {
    rootfs: { type: 'string' },
    image: { type: 'string' },
    oci: { type: 'string' },
    work: { type: 'string' },
    'build-seconds': { type: 'string' },
    libraries: { type: 'string' },
  },
})
const given = (name: keyof typeof values): string => values[name] ?? assert.fail(`--${name} is missing`)

const rootfs = given('rootfs')
const image = readImageConfig(given('image'))
const checks = new Checks()

checkConfig(image)
checks.equal(
  'the file system has what was built in the build stage only: no compiler, no npm, no sources',
  ['/usr/bin/gcc', '/usr/bin/npm', '/src', '/toolchain', '/run/secrets'].filter((path) =>
    isThere(join(rootfs, path)),
  ),
  [],
)

// Before anything runs in it.
const contents = await measureContents()

const help = await runInImage({ rootfs, image, args: image.Cmd })
checks.equal('without a command it shows its help', [help.code, /^Usage: weir/m.test(help.output)], [0, true])
const unknown = await runInImage({ rootfs, image, args: ['run', '/app/none.ts'], env: { WEIR_NONE: '1' } })
checks.equal(
  'a wrong setting ends it with exit code 2',
  [unknown.code, /WEIR_NONE is no setting/.test(unknown.output)],
  [2, true],
)

const demo = await runInImage({
  rootfs,
  image,
  args: ['demo', '--records', String(DEMO_EVENTS), '--plain'],
  env: { WEIR_MEMORY_BYTES: '1GiB', WEIR_HTTP_HOST: '127.0.0.1', WEIR_HTTP_PORT: '0' },
})
const demoSummary = demo.output.slice(demo.output.search(/^Processed /m)).trim()
checks.equal(
  'the demo processes as many events as it was asked for',
  [demo.code, /^Processed ([\d,]+) events/.exec(demoSummary)?.[1]],
  [0, DEMO_EVENTS.toLocaleString('en')],
)

const wordCount = await tryWordCount(image, rootfs, given('work'), checks)

writeFileSync(
  resolve(import.meta.dirname, '../../deploy/image-report.md'),
  reportText({
    revision: image.Labels['org.opencontainers.image.revision']!,
    release: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync(join(rootfs, 'etc/os-release'), 'utf8'))![1]!,
    builder: execFileSync('buildah', ['--version'], { encoding: 'utf8' }).trim(),
    buildSeconds: Number(given('build-seconds')),
    libraries: given('libraries'),
    layers: layerBytes(given('oci')),
    contents,
    helpMs: help.ms,
    demoSummary,
    wordCount,
    checks: checks.passed,
  }),
)
console.log(`${checks.passed.length} checks passed; deploy/image-report.md is written`)

/** An empty folder is none: where something was mounted into the build it leaves one. */
function isThere(path: string): boolean {
  return existsSync(path) && !(statSync(path).isDirectory() && readdirSync(path).length === 0)
}

function checkConfig({
  User,
  Entrypoint,
  Volumes,
  ExposedPorts,
  Healthcheck,
  StopSignal,
  Labels,
}: ImageConfig): void {
  checks.equal('it is run as a user by number', /^[1-9]\d*:[1-9]\d*$/.test(User), true)
  checks.equal('process 1 is tini', Entrypoint, ['tini', '--', 'weir'])
  checks.equal('state is a volume', Object.keys(Volumes), ['/var/lib/weir'])
  checks.equal('it exposes the HTTP port', Object.keys(ExposedPorts), ['8080/tcp'])
  checks.equal(
    'it has a health check and a stop signal',
    [Healthcheck?.Test[0], StopSignal],
    ['CMD', 'SIGTERM'],
  )
  const prefix = 'org.opencontainers.image.'
  const labels = ['title', 'description', 'licenses', 'version', 'revision'].map(
    (name) => Labels[prefix + name],
  )
  checks.that(
    'it is labelled',
    labels.every((label) => (label ?? 'unknown') !== 'unknown'),
    JSON.stringify(Labels),
  )
}

/** What the image is made of, largest first: name and bytes. */
async function measureContents(): Promise<[what: string, bytes: number][]> {
  const weir = join(rootfs, 'app/node_modules/weir')
  const library = execFileSync('find', [join(rootfs, 'usr/lib'), '-name', 'libjemalloc.so.2'], {
    encoding: 'utf8',
  }).trim()
  const parts: [string, number][] = [
    ['Node', await fileBytes([join(rootfs, 'usr/local/bin/node')])],
    ['the addon, with RocksDB and librdkafka in it', await fileBytes([join(weir, 'build')])],
    ["Weir's own JavaScript, declarations and source maps", await fileBytes([join(weir, 'dist')])],
    ['npm packages that it needs', await fileBytes([join(weir, 'node_modules')])],
    ['jemalloc', await fileBytes([library])],
  ]
  const all = await fileBytes([rootfs])
  parts.push(['Debian', all - parts.reduce((sum, [, bytes]) => sum + bytes, 0)], ['all', all])
  return parts
}
