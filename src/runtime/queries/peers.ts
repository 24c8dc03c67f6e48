import { applicationServerOf } from '../../config/application-server.ts'
import type { GroupDescription } from '../../native.ts'
import { partitionKey, type TaskInputs } from '../task-inputs.ts'

/** After a look at the group the next one comes so much later at the earliest, ms. */
const LOOK_INTERVAL_MS = 250

/** Who has a task. */
export type TaskOwner =
  | { readonly kind: 'server'; readonly server: string }
  /** Its process does not say where it serves. */
  | { readonly kind: 'unnamed' }
  /** At this moment nobody. */
  | { readonly kind: 'none' }

export interface PeersOptions {
  /** Asks the group. */
  readonly describe: () => Promise<Pick<GroupDescription, 'members'>>
  /** Default: performance.now */
  readonly nowMs?: () => number
}

/**
 * The other processes of the application, and what each has: as the group says, asked when it is needed. What is known may be old: whoever is asked
 * says whether he has a task. Main thread.
 */
export class Peers {
  readonly #options: PeersOptions
  readonly #nowMs: () => number
  /** By partitionKey; null: the member says no server. */
  #owners: ReadonlyMap<string, string | null> = new Map()
  #lookedMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | null = null

  constructor(options: PeersOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? (() => performance.now())
  }

  /** @param isAnew what was known was wrong. @throws what asking the group throws */
  async ownerOf(task: TaskInputs, isAnew: boolean): Promise<TaskOwner> {
    if (!isAnew) {
      const known = this.#known(task)
      if (known.kind === 'server') return known
    }
    await this.#look()
    return this.#known(task)
  }

  /** What is known of a server's tasks is not to be relied on: it does not answer. */
  forget(server: string): void {
    this.#owners = new Map([...this.#owners].filter(([, owner]) => owner !== server))
  }

  #known({ inputs }: TaskInputs): TaskOwner {
    const servers = new Set(inputs.map((input) => this.#owners.get(partitionKey(input))))
    const [server] = servers
    // A task has all of its inputs, or does not run.
    if (servers.size !== 1 || server === undefined) return { kind: 'none' }
    return server === null ? { kind: 'unnamed' } : { kind: 'server', server }
  }

  async #look(): Promise<void> {
    if (this.#looking === null) {
      if (this.#nowMs() - this.#lookedMs < LOOK_INTERVAL_MS) return
      this.#looking = this.#describe().finally(() => {
        this.#looking = null
      })
    }
    await this.#looking
  }

  async #describe(): Promise<void> {
    const { members } = await this.#options.describe()
    this.#lookedMs = this.#nowMs()
    this.#owners = new Map(
      members.flatMap(({ clientId, assignment }) => {
        const server = applicationServerOf(clientId)
        return assignment.map((partition) => [partitionKey(partition), server] as const)
      }),
    )
  }
}
