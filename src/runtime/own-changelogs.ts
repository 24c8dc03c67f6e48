import { CHANGELOG_ENDS_MAX, type ChangelogEnds, changelogId } from '../commit/changelog-ends.ts'
import { changelogEndsOf } from '../commit/offset-metadata.ts'
import type { Config } from '../config/config.ts'
import type { TaskDatabase, TopicPartitionOffset } from '../native.ts'
import type { StoreDefinition, SubtopologyDefinition } from '../topology/definition.ts'
import { changelogTopic } from '../topology/topic-names.ts'
import type { TopicInfo } from './protocol.ts'

/**
 * The changelogs of a task that only its database is to write to, and where they ended when the task was committed last.
 *
 * Under at-least-once nothing keeps a member that was taken for dead (a process that stood still, a network that stood still) from writing what it had on its
 * way into changelogs that are another's by now, over what that has written. So each commit of source offsets, which the group refuses such a member, says
 * where the changelogs ended: a restore applies nothing beyond that, and has the rows written again that lie there. While a task runs, its commits notice records
 * that are not its own (TaskDatabase.commit). Exactly-once needs none of it: what was not committed with the offsets is not visible.
 *
 * Not of versioned stores, whose changelogs are histories: all of them is applied. Nor of tasks whose topics come and go, which do not commit each offset with
 * each commit.
 */
export class OwnChangelogs {
  /** Of each store; null for one without. */
  readonly #ids: readonly (string | null)[]
  readonly #committed: ChangelogEnds

  /** @param inputs where the task reads on, as committed */
  constructor(
    definition: SubtopologyDefinition,
    config: Pick<Config, 'applicationId' | 'processingGuarantee'>,
    topics: Readonly<Record<string, TopicInfo>>,
    inputs: readonly TopicPartitionOffset[],
  ) {
    const { stores, nodes } = definition
    const hasPattern = nodes.some((node) => node.kind === 'source' && node.pattern !== undefined)
    const isWatched =
      config.processingGuarantee === 'at_least_once' && !hasPattern && stores.length <= CHANGELOG_ENDS_MAX
    this.#ids = stores.map((store) => {
      const { id } = topics[changelogTopic(config.applicationId, store.name)] ?? {}
      const isKnown = isWatched && hasRowPerKey(store) && id !== undefined && id !== ''
      return isKnown ? changelogId(store.name, id) : null
    })
    this.#committed = changelogEndsOf(inputs.map(({ metadata }) => metadata))
  }

  /** What a restore of a store is told. @param store its index */
  request(store: number): { readonly takesOver?: true; readonly until?: number } {
    const id = this.#ids[store]
    if (id === undefined || id === null) return {}
    const until = this.#committed.get(id)
    return { takesOver: true, ...(until !== undefined && { until }) }
  }

  /** What is to be committed with the offsets. REQUIRES that nothing is on its way to a changelog. */
  ends(database: TaskDatabase): ChangelogEnds {
    const ends = new Map<string, number>()
    if (this.#ids.every((id) => id === null)) return ends
    for (const [store, end] of database.changelogEnds().entries()) {
      const id = this.#ids[store]
      if (id !== undefined && id !== null && end >= 0) ends.set(id, end)
    }
    return ends
  }
}

/** The changelog's last record of a key is the row. */
function hasRowPerKey({ logging, type, sourceTopic }: StoreDefinition): boolean {
  return logging && type !== 'versioned' && sourceTopic === undefined
}
