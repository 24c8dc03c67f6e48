/** Which of some names are connected. Kafka Streams' QuickUnion. */
export class DisjointSets {
  readonly #parents = new Map<string, string>()

  add(name: string): void {
    if (!this.#parents.has(name)) this.#parents.set(name, name)
  }

  unite(name: string, others: Iterable<string>): void {
    this.add(name)
    for (const other of others) {
      this.add(other)
      this.#parents.set(this.#root(other), this.#root(name))
    }
  }

  /** The sets, ordered by the first of their members, each in order of addition. */
  groups(): string[][] {
    const groups = new Map<string, string[]>()
    for (const name of this.#parents.keys()) {
      const root = this.#root(name)
      const group = groups.get(root)
      if (group === undefined) groups.set(root, [name])
      else group.push(name)
    }
    return [...groups.values()]
  }

  #root(name: string): string {
    let root = name
    for (let parent = this.#parents.get(root)!; parent !== root; parent = this.#parents.get(root)!)
      root = parent
    return root
  }
}
