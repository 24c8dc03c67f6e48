import type { Producer, TaskDatabase } from '../../src/native.ts'
import type { LocalTiers } from '../../src/runtime/local-tiers.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { localRow } from '../../src/state/tiered-rows.ts'

/** What the members of a group leave each other: a changelog, and what was committed with the offsets. */
export class TierLegacy {
  /** By commit: where the changelog ended with it, and what it changed. */
  readonly commits: { readonly end: number; readonly changes: ReadonlyMap<string, string | null> }[] = []
  watermark: number | undefined = undefined

  /** Where the changelog ended at the last commit. */
  get end(): number | undefined {
    return this.commits.at(-1)?.end
  }

  /** Of what was changed beyond an offset the last change of each key. */
  since(offset: number): Map<string, string | null> {
    const beyond = this.commits.filter(({ end }) => end > offset)
    return new Map(beyond.flatMap(({ changes }) => [...changes]))
  }
}

export interface ReplayOptions {
  readonly topic: string
  readonly producer: Producer
  /** Whether the restore knows where the changelog ended at the last commit, as under at-least-once. */
  readonly knowsEnd: boolean
  /** As the store writes it. */
  readonly keyOf: (key: string) => Buffer
}

/** As StateRestore does it, with what the test knows of the changelog. */
export async function replay(
  database: TaskDatabase,
  tiers: LocalTiers,
  legacy: TierLegacy,
  { topic, producer, knowsEnd, keyOf }: ReplayOptions,
): Promise<void> {
  const { end } = legacy
  const before = database.offsets()[0]!.offset
  const { from } = await tiers.prepareRestore(database, {
    store: 0,
    topic,
    partition: 0,
    topicId: '',
    from: before,
    ...(knowsEnd && end !== undefined && { until: end }),
  })
  if (from !== before || from !== end) {
    const overlay = new OverlayWriter()
    for (const [key, value] of legacy.since(from)) {
      overlay.beginRow()
      overlay.writer.writeBytes(keyOf(key))
      overlay.endKey()
      const row = value === null ? null : { value: Buffer.from(value), timestampMs: 7 }
      overlay.writer.writeBytes(localRow(row))
      overlay.endRow(true, 7)
    }
    if (!overlay.isEmpty) overlay.apply(database, 0)
    await database.drain(producer)
    await producer.flush(30_000)
    await database.commit()
  }
  tiers.restored(database)
}
