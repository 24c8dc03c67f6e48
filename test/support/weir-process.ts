import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { freePorts } from '../services/ports.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const nodeCommand = join(repository, 'scripts/node')

export interface ExitResult {
  /** null after a signal. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface WeirOptions {
  /** The topology module, relative to the repository. */
  readonly module: string
  readonly bootstrapServers: string
  readonly applicationId: string
  readonly stateDir: string
  /** The folder of the sources that it runs. Default: this repository. */
  readonly sources?: string | undefined
  /** What is run, before the module's name. Default: `weir run` of the sources, by the tests' Node. */
  readonly command?: readonly [string, ...string[]]
  /** More `WEIR_` variables. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Of a process that is killed and started again: a static member, whose next life gets the tasks at once, without waiting for the session of the one
 * before.
 */
export const sameMember = { WEIR_GROUP_INSTANCE_ID: 'worker' }

/**
 * The environment of a child: this one's without its own `WEIR_` settings, the toolchain's folder excepted.
 */
export function childEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => (!name.startsWith('WEIR_') || name === 'WEIR_TOOLCHAIN_DIR') && !name.startsWith('NODE_TEST'),
  )
  return { ...Object.fromEntries(inherited), ...env }
}

/** Runs the command-line tool to its end. A run that takes longer than `timeoutMs` is killed and fails. */
export async function runWeir(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = 60_000,
): Promise<ExitResult> {
  const child = spawnCommand([nodeCommand, 'src/cli/main.ts', ...args], env)
  return await endOf(child, timeoutMs)
}

/** Runs a script of this repository under the tests' Node, to its end. */
export async function runScript(
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = 120_000,
): Promise<ExitResult> {
  return await endOf(spawnCommand([nodeCommand, script, ...args], env), timeoutMs)
}

/**
 * A Weir worker (`weir run`) as a child process, which never outlives this one. Under `await using` it is
 * killed at the end of the block if it still runs.
 */
export class WeirProcess implements AsyncDisposable {
  readonly httpPort: number
  readonly exited: Promise<ExitResult>
  readonly #child: ChildProcess
  #output = ''
  #ended = false

  private constructor(child: ChildProcess, httpPort: number) {
    this.#child = child
    this.httpPort = httpPort
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        // The end is what a failure needs; a long run must not fill the memory.
        this.#output = (this.#output + chunk.toString()).slice(-1_000_000)
      })
    }
    this.exited = endOf(child).finally(() => {
      this.#ended = true
    })
  }

  static async start(options: WeirOptions): Promise<WeirProcess> {
    const given = options.env?.WEIR_HTTP_PORT
    const [httpPort] = given === undefined ? ((await freePorts(1)) as [number]) : [Number(given)]
    const env = {
      WEIR_APPLICATION_ID: options.applicationId,
      WEIR_BOOTSTRAP_SERVERS: options.bootstrapServers,
      WEIR_STATE_DIR: options.stateDir,
      WEIR_HTTP_PORT: String(httpPort),
      WEIR_LOG_FORMAT: 'json',
      WEIR_MEMORY_BYTES: String(1024 * 2 ** 20),
      // A member hears with its next heartbeat that partitions move. Under the consumer protocol the broker says when that is.
      ...(options.env?.WEIR_GROUP_PROTOCOL !== 'consumer' && { WEIR_CONSUMER_HEARTBEAT_INTERVAL_MS: '300' }),
      ...options.env,
    }
    const { command = [nodeCommand, 'src/cli/main.ts', 'run'], sources } = options
    const child = spawnCommand([...command, options.module], env, sources)
    return new WeirProcess(child, httpPort)
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** What it has printed, standard output and error together. */
  get output(): string {
    return this.#output
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Waits until it serves /readyz: every task that it was assigned runs. Fails when it ends before. */
  async ready(timeoutMs = 60_000): Promise<void> {
    await this.until(async () => (await this.#get('/readyz'))?.status === 200, 'is not ready', timeoutMs)
  }

  /** Waits for a condition; fails with the worker's output when it ends before, or after `timeoutMs`. */
  async until(
    condition: () => Promise<boolean> | boolean,
    otherwise: string,
    timeoutMs = 60_000,
    pollMs = 100,
  ): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while (!(await condition())) {
      if (this.#ended) throw new Error(`the worker ended while it ${otherwise}:\n${this.#output}`)
      if (Date.now() > deadline)
        throw new Error(`after ${timeoutMs} ms the worker ${otherwise}:\n${this.#output}`)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }

  /** Waits until it runs, by its own lines: looking often costs the machine nothing then. */
  async running(timeoutMs = 60_000): Promise<void> {
    await this.until(() => this.#output.includes('"application running"'), 'does not run', timeoutMs, 2)
  }

  /** Every sample of /metrics, by name with labels as printed; empty while it does not answer. */
  async metrics(): Promise<Map<string, number>> {
    const response = await this.#get('/metrics')
    if (response === null) return new Map()
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(
      lines.map((line) => {
        const end = line.lastIndexOf(' ')
        return [line.slice(0, end), Number(line.slice(end + 1))]
      }),
    )
  }

  /** Records processed since its start, all threads together; 0 while it does not answer. */
  async recordsProcessed(): Promise<number> {
    let sum = 0
    for (const [name, value] of await this.metrics()) {
      if (name.startsWith('weir_process_records_total')) sum += value
    }
    return sum
  }

  /** What `work` gives; fails when the worker ends before. */
  async whileRunning<T>(work: Promise<T>): Promise<T> {
    const ended = this.exited.then(() => {
      throw new Error(`the worker ended:\n${this.#output}`)
    })
    return await Promise.race([work, ended])
  }

  async #get(path: string): Promise<Response | null> {
    try {
      return await fetch(`http://127.0.0.1:${this.httpPort}${path}`, { signal: AbortSignal.timeout(5_000) })
    } catch {
      return null
    }
  }

  /** SIGTERM: commits, closes, leaves the group. Fails when it does not end with exit code 0. */
  async stop(timeoutMs = 60_000): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs)
    const { code, signal } = await this.exited
    clearTimeout(timer)
    if (code !== 0)
      throw new Error(`the worker ended with ${signal ?? `exit code ${code}`}:\n${this.#output}`)
  }

  /** Stands still until `resume`. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** SIGKILL, at whatever it is doing. */
  async kill9(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.kill9()
  }
}

/**
 * The kernel kills the child when this process ends, however it ends; `setpriv` and `scripts/node` replace
 * themselves, so the pid is Node's.
 */
function spawnCommand(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  folder = repository,
): ChildProcess {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    cwd: folder,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killAtExit = (): void => {
    child.kill('SIGKILL')
  }
  process.on('exit', killAtExit)
  child.once('close', () => process.off('exit', killAtExit))
  return child
}

async function endOf(child: ChildProcess, timeoutMs?: number): Promise<ExitResult> {
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.on('data', (chunk: Buffer) => {
      text[name] = (text[name] + chunk.toString()).slice(-1_000_000)
    })
  }
  return await new Promise((resolve, reject) => {
    let isLate = false
    const killLate = (): void => {
      isLate = true
      child.kill('SIGKILL')
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(killLate, timeoutMs)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (isLate) reject(new Error(`still running after ${timeoutMs} ms:\n${text.stdout}${text.stderr}`))
      else resolve({ code, signal, ...text })
    })
  })
}
