import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { compileJava, javaClassPath } from '../../services/java.ts'
import { makeScratchDir, removeDir } from '../../services/scratch-dir.ts'
import { jvmEnvironment } from '../../services/server-process.ts'
import type { Description, Result } from './description.ts'

/** A JVM with RunTopologies in it: takes descriptions one after the other. It ends with this process. */
export class JavaSide implements AsyncDisposable {
  readonly #folder: string
  readonly #process: ChildProcess
  readonly #waiting: ((line: string | null) => void)[] = []

  private constructor(folder: string, process: ChildProcess) {
    this.#folder = folder
    this.#process = process
    const lines = createInterface({ input: process.stdout! })
    lines.on('line', (line) => this.#waiting.shift()!(line))
    lines.on('close', () => {
      for (const resolve of this.#waiting.splice(0)) resolve(null)
    })
  }

  static async start(): Promise<JavaSide> {
    const folder = makeScratchDir('oracle')
    const classes = join(folder, 'classes')
    await compileJava(import.meta.dirname, classes)
    const options = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
    options.push('-Dorg.slf4j.simpleLogger.defaultLogLevel=off', '-cp', javaClassPath(classes))
    const program = ['java', ...options, 'RunTopologies', join(folder, 'state')]
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: jvmEnvironment(),
    })
    return new JavaSide(folder, child)
  }

  async run(description: Description): Promise<Result> {
    const line = await new Promise<string | null>((resolve) => {
      this.#waiting.push(resolve)
      this.#process.stdin!.write(`${JSON.stringify(description)}\n`)
    })
    if (line === null) throw new Error('the JVM has ended')
    return JSON.parse(line) as Result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.stdin!.end()
    await ended
    removeDir(this.#folder)
  }
}
