const PROBLEMS_OF_A_KIND_MAX = 5

/** Problems, with no more than some of a kind. */
export class Problems {
  readonly lines: string[] = []
  readonly #counts = new Map<string, number>()

  add(kind: string, what: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (count <= PROBLEMS_OF_A_KIND_MAX) this.lines.push(`${kind}: ${what}`)
  }
}
