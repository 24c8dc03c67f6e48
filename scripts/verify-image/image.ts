import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What an image says of how it is run. */
export interface ImageConfig {
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  /** `10001:10001` */
  readonly User: string
  readonly WorkingDir: string
  readonly Volumes: Readonly<Record<string, object>>
  readonly ExposedPorts: Readonly<Record<string, object>>
  readonly Labels: Readonly<Record<string, string>>
  readonly Healthcheck?: { readonly Test: readonly string[] }
  readonly StopSignal?: string
}

/** @param file what `buildah inspect` prints */
export function readImageConfig(file: string): ImageConfig {
  return (JSON.parse(readFileSync(file, 'utf8')) as { Docker: { config: ImageConfig } }).Docker.config
}

interface Descriptor {
  readonly digest: string
  readonly size: number
}

/** The layers' sizes as a registry transfers them, gzip'ed; the lowest first. @param folder an image in the OCI layout */
export function layerBytes(folder: string): number[] {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(folder, path), 'utf8'))
  const { manifests } = read('index.json') as { manifests: readonly [Descriptor] }
  const manifest = read(blob(manifests[0].digest)) as { layers: readonly Descriptor[] }
  return manifest.layers.map(({ size }) => size)
}

function blob(digest: string): string {
  return join('blobs', ...digest.split(':'))
}

/** Bytes of all files below paths. */
export async function fileBytes(paths: readonly string[]): Promise<number> {
  const options = ['--summarize', '--total', '--apparent-size', '--block-size=1', '--one-file-system']
  const { stdout } = await promisify(execFile)('du', [...options, ...paths])
  return Number(/^(\d+)\s+total$/m.exec(stdout)?.[1])
}
