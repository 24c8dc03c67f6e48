import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ServerCommand {
  /** What errors call the server. */
  name: string
  command: string
  args: string[]
  /** Takes standard output and error; appended to, so a restart keeps what went before. */
  logFile: string
  /** Whether the server serves; `log` is what it has printed since this start. */
  isReady(log: string): boolean | Promise<boolean>
  startTimeoutMs: number
}

/** This process's environment without what is preloaded into it: a JVM does not start with a sanitizer in it. */
export function jvmEnvironment(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _, ...environment } = process.env
  return environment
}

/**
 * A server as a child process. It never outlives its parent: it is killed when this process exits, and by the kernel (`setpriv
 * --pdeathsig`, which replaces itself with the server, so the process id is the server's own) when this process is killed. The kernel
 * looks at the thread that started it: start servers in the main thread.
 */
export class ServerProcess {
  readonly #command: ServerCommand
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  readonly #killAtExit = () => this.#child?.kill('SIGKILL')

  constructor(command: ServerCommand) {
    this.#command = command
  }

  /** The server's process id. Throws when it is not running. */
  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.#command.name} is not running`)
    return pid
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** Starts the server and waits until it serves. Throws with the end of its log when it exits or does not come up in time. */
  async start(): Promise<void> {
    const { name, command, args, logFile, isReady, startTimeoutMs } = this.#command
    if (this.isRunning) throw new Error(`${name} is already running`)
    const logStart = existsSync(logFile) ? statSync(logFile).size : 0
    const log = openSync(logFile, 'a')
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdio: ['ignore', log, log],
      env: jvmEnvironment(),
    })
    closeSync(log)
    this.#child = child
    let failure: string | undefined
    this.#exited = new Promise((resolve) => {
      const end = (reason: string) => {
        failure ??= reason
        this.#child = undefined
        process.off('exit', this.#killAtExit)
        resolve()
      }
      child.once('error', (error) => end(`did not start: ${error.message}`))
      child.once('exit', (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`))
    })
    process.on('exit', this.#killAtExit)

    const deadline = Date.now() + startTimeoutMs
    const logSinceStart = () => readFileSync(logFile).subarray(logStart).toString()
    while (failure === undefined && Date.now() < deadline) {
      if (await isReady(logSinceStart())) return
      await Promise.race([sleep(50), this.#exited])
    }
    failure ??= `did not serve within ${startTimeoutMs} ms`
    await this.kill('SIGKILL')
    throw new Error(`${name} ${failure}; its log ends:\n${tail(logSinceStart())}`)
  }

  /** Sends the signal and waits for the end; a server that ignores it for `timeoutMs` is killed. Does nothing when it is not running. */
  async kill(signal: NodeJS.Signals, timeoutMs = 30_000): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    await this.#exited
    clearTimeout(timer)
  }
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-40).join('\n')
}
