import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import { javaClassPath } from '../services/java.ts'

/** Java's Avro in a process of its own: test/oracle/avro/AvroPeer.java. Answers one request after the other. */
export class JavaAvro implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  /** @param classDir where AvroPeer was compiled to */
  static start(classDir: string): JavaAvro {
    const options = ['-Xmx256m', '-Xss4m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
    const args = [
      ...options,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      '-cp',
      javaClassPath(classDir),
      'AvroPeer',
    ]
    return new JavaAvro(spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] }))
  }

  /** @throws Error with what Java says when it refuses */
  async ask(request: object): Promise<Record<string, unknown>> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('AvroPeer has ended')
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
