import assert from 'node:assert/strict'

/** What was looked at, in order; the first that is not so ends the run. */
export class Checks {
  readonly #passed: string[] = []

  get passed(): readonly string[] {
    return this.#passed
  }

  equal(what: string, actual: unknown, expected: unknown): void {
    assert.deepEqual(actual, expected, `${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`)
    this.#pass(what)
  }

  that(what: string, isSo: boolean, detail: string): void {
    assert.ok(isSo, `${what}: ${detail}`)
    this.#pass(what)
  }

  #pass(what: string): void {
    this.#passed.push(what)
    console.log(`ok: ${what}`)
  }
}
