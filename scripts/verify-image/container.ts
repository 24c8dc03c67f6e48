import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ImageConfig } from './image.ts'

export interface ContainerOptions {
  readonly rootfs: string
  readonly image: ImageConfig
  /** After the entrypoint. */
  readonly args: readonly string[]
  /** In the entrypoint's place. */
  readonly entrypoint?: readonly string[]
  /** Over the image's own. */
  readonly env?: Readonly<Record<string, string>>
  readonly mounts?: readonly {
    readonly source: string
    readonly target: string
    readonly readOnly: boolean
  }[]
}

export interface ContainerEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * What a container runtime does of interest here, by util-linux: namespaces for mounts and processes, so that the command is process 1; the root
 * file system read-only, with /proc, /dev, a /tmp and the volumes; the image's user, without capabilities and without a way to get any; the image's
 * environment and nothing else. The network is this machine's.
 */
const START = `
set -eu
root=$1 workdir=$2 user=$3 group=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777,size=1g tmp "$root/tmp"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero full random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
while [ "$1" != -- ]; do
  mount --bind "$1" "$root/$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root/$2"
  shift 3
done
shift
exec setpriv --no-new-privs unshare --root "$root" --wd "$workdir" --setgid "$group" --setuid "$user" env -i "$@"
`

/** A command in the image. Under `await using` it ends with the block. */
export class Container implements AsyncDisposable {
  readonly exited: Promise<ContainerEnd>
  readonly startedMs = performance.now()
  readonly #child: ChildProcess
  #output = ''
  #hasEnded = false

  constructor({
    rootfs,
    image,
    args,
    entrypoint = image.Entrypoint,
    env = {},
    mounts = [],
  }: ContainerOptions) {
    const [user, group] = image.User.split(':') as [string, string]
    // Where a runtime would make them, in the container's own layer.
    for (const { target } of mounts) mkdirSync(join(rootfs, target), { recursive: true })
    const variables = [...image.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
    this.#child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--pid', '--ipc', '--uts', '--fork'],
        ...['bash', '-c', START, 'start', rootfs, image.WorkingDir, user, group],
        ...mounts.flatMap(({ source, target, readOnly }) => [source, target, readOnly ? 'ro' : 'rw']),
        ...['--', ...variables, ...entrypoint, ...args],
      ],
      // None of this process's own environment, which has an allocator in it.
      { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
    )
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-1_000_000)
      })
    }
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        this.#hasEnded = true
        resolve({ code, signal })
      })
    })
  }

  /** What it has printed, standard output and error together. */
  get output(): string {
    return this.#output
  }

  /** The container's process 1 as this machine numbers it; null before there is one. */
  get process1(): number | null {
    return childrenOf(this.#child.pid!)[0] ?? null
  }

  /** Waits for a condition; fails with what was printed when the command ends before, or after a minute. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<number> {
    const deadlineMs = performance.now() + 60_000
    while (!(await condition())) {
      if (this.#hasEnded) throw new Error(`it ended before ${what}:\n${this.#output}`)
      if (performance.now() > deadlineMs)
        throw new Error(`a minute was too short for this: ${what}:\n${this.#output}`)
      await sleep(5)
    }
    return performance.now() - this.startedMs
  }

  /** To process 1, as a runtime sends its stop signal. @returns how it ended, and after how many ms */
  async stop(signal: NodeJS.Signals): Promise<ContainerEnd & { readonly ms: number }> {
    const sentMs = performance.now()
    process.kill(this.process1!, signal)
    const killLate = setTimeout(() => this.#kill(), 60_000)
    const end = await this.exited
    clearTimeout(killLate)
    return { ...end, ms: performance.now() - sentMs }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return
    this.#kill()
    await this.exited
  }

  /** Process 1 itself: the kernel does not tell it of its parent's end any more, since it has another user. */
  #kill(): void {
    const process1 = this.process1
    if (process1 !== null) process.kill(process1, 'SIGKILL')
    else this.#child.kill('SIGKILL')
  }
}

/** Ends by itself. @returns its exit code, and what it printed */
export async function runInImage(
  options: ContainerOptions,
): Promise<{ code: number | null; output: string; ms: number }> {
  await using container = new Container(options)
  const { code } = await container.exited
  return { code, output: container.output, ms: performance.now() - container.startedMs }
}

export function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** A line of /proc/<pid>/status: `Uid`, `VmHWM`. */
export function statusOf(pid: number, field: string): string {
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
}
