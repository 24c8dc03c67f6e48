import assert from 'node:assert/strict'

/** What was looked at, in order; the first that is not so ends the run. */
export class Checks {
  readonly #passed: string[] = []

  get passed(): readonly string[] {
    return this.#passed
  }

  equal(what: string, actual: unknown, expected: unknown): void {
    assert.deepEqual(actual, expected, `${what}: ${shown(actual)}, expected ${shown(expected)}`)
    this.#pass(what)
  }

  that(what: string, isSo: boolean, detail: string): void {
    assert.ok(isSo, `${what}: not so: ${detail}`)
    this.#pass(what)
  }

  #pass(what: string): void {
    this.#passed.push(what)
    console.log(`ok: ${what}`)
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 1_000 ? `${text.slice(0, 1_000)}...` : text
}
