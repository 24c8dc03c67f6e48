import type { TierChange, TierRow } from './store-tier.ts'

/** What a waiting row takes besides key and value: its places, the buffers, the text that it is found by. */
const ROW_OVERHEAD_BYTES = 300
/** What a changed key takes besides its bytes. */
const KEY_OVERHEAD_BYTES = 80

/** Written out together, before any of their room is free again. */
const PART_CHANGES_MAX = 2_048

/** What the backlogs of a stream thread's tasks may take together, in estimated bytes of the heap. */
export class BacklogBudget {
  readonly #bytesMax: number
  /** Of keys whose change is not committed. */
  keyBytes = 0
  /** Of rows that wait, or are on their way. */
  rowBytes = 0
  rows = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isFull(): boolean {
    return this.keyBytes + this.rowBytes >= this.#bytesMax
  }

  /** Whether so many changes, being committed, would not make it full, if they are rows like those that wait. Where none does there is always room: what is committed goes on at once. */
  hasRoomFor(changes: number): boolean {
    if (this.rows === 0) return true
    return this.keyBytes + this.rowBytes + (changes * this.rowBytes) / this.rows <= this.#bytesMax
  }
}

type Changes = Map<string, TierChange>

/**
 * What a task has changed in a tiered store and the second tier does not have yet, the last change of each key:
 *
 *   put -> changed | committed -> waiting -> on its way -> written
 *
 * Only what is committed goes on: an aborted value never leaves. Of what is not, the keys are enough: a row may be put many times, and is in the task's database. What is on its way goes together; meanwhile others wait, so that a key that changes often is written
 * as often as the second tier keeps up with.
 *
 * Invariants:
 * 1. The second tier has all that the changelog has before `watermark`, or something newer.
 * 2. What neither the task's database nor what waits or is on its way has of a key, the second tier has.
 */
export class TierBacklog {
  readonly #write: (changes: Iterable<TierChange>) => Promise<void>
  readonly #budget: BacklogBudget
  readonly #onWritten: () => void
  readonly #onFailed: (error: unknown) => void
  readonly #groupOf: ((key: Buffer) => string) | null
  /** The keys of each group that has some, where there are groups. */
  readonly #groups = new Map<string, Set<string>>()
  /** Keys as latin1. */
  readonly #changed = new Set<string>()
  #waiting: Changes = new Map()
  #onTheirWay: Changes = new Map()
  /** Where the changelog ended at the last commit. */
  #end: number
  /** Never rejects. */
  #writing: Promise<void> | null = null
  #isClosed = false
  /** A changelog offset. */
  watermark: number

  /**
   * @param watermark what an earlier owner has committed of it
   * @param write resolves when all are written, however long that takes; or when nobody wants it any more
   * @param onWritten the watermark has moved, or there is more room
   * @param groupOf of changes that are asked for together. Default: none are
   */
  constructor(
    watermark: number,
    write: (changes: Iterable<TierChange>) => Promise<void>,
    budget: BacklogBudget,
    onWritten: () => void,
    onFailed: (error: unknown) => void,
    groupOf: ((key: Buffer) => string) | null = null,
  ) {
    this.#groupOf = groupOf
    this.watermark = watermark
    this.#end = watermark
    this.#write = write
    this.#budget = budget
    this.#onWritten = onWritten
    this.#onFailed = onFailed
  }

  /** Changes since the last commit. */
  get changed(): number {
    return this.#changed.size
  }

  /** @param id the key as latin1 */
  put(id: string): void {
    const { size } = this.#changed
    this.#changed.add(id)
    if (this.#changed.size > size) this.#budget.keyBytes += keyBytesOf(id)
  }

  /** The last changes of a group's keys. */
  *ofGroup(group: string): Iterable<readonly [key: string, change: TierChange]> {
    for (const key of this.#groups.get(group) ?? []) yield [key, this.find(key)!]
  }

  /** @returns the last committed change of a key; undefined when there is none */
  find(key: string): TierChange | undefined {
    return this.#waiting.get(key) ?? this.#onTheirWay.get(key)
  }

  /** What was put is committed, and with the changelog up to `end`. @param rowOf what is there of a key by now */
  committed(end: number, rowOf: (key: Buffer) => TierRow | null): void {
    this.#end = end
    for (const id of this.#changed) {
      const key = Buffer.from(id, 'latin1')
      this.#wait(id, { key, row: rowOf(key) })
    }
    this.discard()
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
    })
  }

  /** Resolves when nothing that is committed waits any more. */
  settled(): Promise<void> {
    return this.#writing ?? Promise.resolve()
  }

  /** What was put is not committed. */
  discard(): void {
    for (const id of this.#changed) this.#budget.keyBytes -= keyBytesOf(id)
    this.#changed.clear()
  }

  /** Nothing goes on. */
  close(): void {
    this.#isClosed = true
    this.discard()
    for (const changes of [this.#waiting, this.#onTheirWay]) this.#drop(changes)
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.size > 0 && !this.#isClosed) {
        const end = this.#end
        this.#onTheirWay = this.#waiting
        this.#waiting = new Map()
        while (this.#onTheirWay.size > 0) {
          const part = [...this.#onTheirWay.entries().take(PART_CHANGES_MAX)]
          await this.#write(part.map(([, change]) => change))
          if (this.#isClosed) return
          this.#written(part)
        }
        this.#moveTo(end)
      }
      if (!this.#isClosed) this.#moveTo(this.#end)
    } catch (error) {
      this.#onFailed(error)
    }
  }

  /** What is written makes room at once, not when all is. */
  #written(part: readonly (readonly [id: string, change: TierChange])[]): void {
    for (const [id, change] of part) {
      this.#onTheirWay.delete(id)
      this.#gone(id, change)
    }
    this.#onWritten()
  }

  #moveTo(watermark: number): void {
    const hasMoved = this.watermark !== watermark
    this.watermark = watermark
    if (hasMoved) this.#onWritten()
  }

  #wait(id: string, change: TierChange): void {
    const before = this.#waiting.get(id)
    if (before !== undefined) this.#forget(before)
    this.#waiting.set(id, change)
    this.#budget.rows++
    this.#budget.rowBytes += bytesOf(change)
    if (this.#groupOf === null) return
    const group = this.#groupOf(change.key)
    const keys = this.#groups.get(group)
    if (keys === undefined) this.#groups.set(group, new Set([id]))
    else keys.add(id)
  }

  #drop(changes: Changes): void {
    const gone = [...changes]
    changes.clear()
    for (const [id, change] of gone) this.#gone(id, change)
  }

  /** It does not wait any more, and is not on its way, as this change. */
  #gone(id: string, change: TierChange): void {
    this.#forget(change)
    if (this.#groupOf !== null && this.find(id) === undefined) this.#ungroup(id, this.#groupOf(change.key))
  }

  #ungroup(id: string, group: string): void {
    const keys = this.#groups.get(group)
    keys?.delete(id)
    if (keys?.size === 0) this.#groups.delete(group)
  }

  #forget(change: TierChange): void {
    this.#budget.rows--
    this.#budget.rowBytes -= bytesOf(change)
  }
}

function bytesOf({ key, row }: TierChange): number {
  return ROW_OVERHEAD_BYTES + key.length + (row?.value.length ?? 0)
}

function keyBytesOf(id: string): number {
  return KEY_OVERHEAD_BYTES + id.length
}
