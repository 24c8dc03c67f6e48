/**
 * A heap that gives the smallest first. Equals come in the order in which java.util.PriorityQueue gives them, which is neither that of arrival
 * nor at random: Kafka Streams' PartitionGroup chooses among records of the same timestamp by it, its PunctuationQueue among punctuators.
 */
export class TimeQueue<T> {
  readonly #heap: T[] = []
  readonly #timestamp: (value: T) => number

  constructor(timestamp: (value: T) => number) {
    this.#timestamp = timestamp
  }

  get size(): number {
    return this.#heap.length
  }

  /** The one that `take` gives next. */
  get first(): T | undefined {
    return this.#heap[0]
  }

  /** REQUIRES that its time stays as it is until it is taken. */
  add(value: T): void {
    const heap = this.#heap
    const timestamp = this.#timestamp(value)
    let at = heap.length
    heap.push(value)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (timestamp >= this.#timestamp(heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = value
  }

  clear(): void {
    this.#heap.length = 0
  }

  take(): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return first
    const timestamp = this.#timestamp(last)
    const half = heap.length >>> 1
    let at = 0
    while (at < half) {
      let child = 2 * at + 1
      const right = child + 1
      if (right < heap.length && this.#timestamp(heap[child]!) > this.#timestamp(heap[right]!)) child = right
      if (timestamp <= this.#timestamp(heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}
