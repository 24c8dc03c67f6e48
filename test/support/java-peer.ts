import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import { javaClassPath } from '../services/java.ts'
import type { ServiceName } from '../services/toolchain.ts'

/** A program of test/oracle in a process of its own. Answers one request after the other: a line of JSON each. */
export class JavaPeer implements AsyncDisposable {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  private constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#child = child
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  /** @param classDir where it was compiled to. @param jars the service whose jars it was compiled with. Default: streams */
  static start(name: string, classDir: string, jars?: ServiceName): JavaPeer {
    const options = ['-Xmx256m', '-Xss4m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
    const args = [
      ...options,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      '-cp',
      javaClassPath(classDir, jars),
      name,
    ]
    return new JavaPeer(name, spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] }))
  }

  /** @throws Error with what Java says when it refuses */
  ask(request: object): Promise<Record<string, unknown>> {
    return this.askText(JSON.stringify(request))
  }

  /** The same, with a request that JavaScript has no value for. */
  async askText(request: string): Promise<Record<string, unknown>> {
    this.#child.stdin!.write(`${request}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error(`${this.#name} has ended`)
    const answer = JSON.parse(value) as Record<string, unknown>
    if (answer.error !== undefined) throw new Error(String(answer.error))
    return answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin!.end()
    await ended
  }
}
