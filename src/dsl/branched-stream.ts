import { branch } from '../process/operators/branch.ts'
import type { RecordPredicate } from '../process/operators/filter.ts'
import { passThrough } from '../process/operators/peek.ts'
import type { StreamRecord } from '../process/record.ts'
import { checkFunction } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode } from './graph.ts'
import { checkStep, type NameOption } from './options.ts'
import type { SerdeState } from './serde-state.ts'
import { Stream } from './stream.ts'
import type { StreamParts } from './stream-parts.ts'

export interface BranchOptions<Name extends string> {
  /** By which the branch is found in the result. Default: its number, from 1; 0 of the default branch. */
  readonly name?: Name
}

/** Streams by the names of their branches. */
type StreamsByName = Record<never, unknown>

/** One more stream under `Name`: nothing, when the branch has none and is found by its number. */
type WithBranch<Streams, Name extends string, S> = string extends Name
  ? Streams
  : Streams & { readonly [N in Name]: S }

/** The branches of a stream: those with a name, and by number those without. */
export type BranchStreams<Streams, S> = Streams & { readonly [branch: number]: S }

/**
 * A stream that is being split. Each record goes to the first branch whose predicate is true of it, or else to the default branch, when there is one.
 * Kafka Streams' BranchedKStream: a branch's node is named after the split's, with the branch's name or number at its end.
 */
export class BranchedStream<
  K,
  V,
  KS extends SerdeState,
  VS extends SerdeState,
  Streams extends StreamsByName = Record<never, never>,
> {
  declare protected readonly branchStates: [KS, VS, Streams]
  readonly #source: StreamParts<K, V>
  readonly #splitter: GraphNode
  readonly #predicates: RecordPredicate<K, V>[] = []
  readonly #children: string[] = []
  readonly #streams = new Map<string, Stream<K, V, KS, VS>>()
  #isComplete = false

  /** @internal */
  constructor(source: StreamParts<K, V>, options: NameOption | undefined) {
    checkStep('split', options, ['name'])
    const { graph, node } = source
    this.#source = source
    const name = graph.nameOr(options?.name, 'KSTREAM-BRANCH-')
    const supplier = branch({ predicates: this.#predicates, children: this.#children })
    this.#splitter = graph.add(
      new GraphNode(name, (topology, parents) =>
        topology.addProcessor(name, supplier, { parents, preservesKey: true }),
      ),
      node,
    )
  }

  /**
   * The records for which `predicate` is true, and that no earlier branch has taken.
   *
   * @throws TopologyError for a name that another branch has, and after the last branch
   */
  branch<V2 extends V, Name extends string = string>(
    predicate: (record: StreamRecord<K, V>) => record is StreamRecord<K, V2>,
    options?: BranchOptions<Name>,
  ): BranchedStream<K, V, KS, VS, WithBranch<Streams, Name, Stream<K, V2, KS, VS>>>
  branch<Name extends string = string>(
    predicate: RecordPredicate<K, V>,
    options?: BranchOptions<Name>,
  ): BranchedStream<K, V, KS, VS, WithBranch<Streams, Name, Stream<K, V, KS, VS>>>
  branch<Name extends string = string>(
    predicate: RecordPredicate<K, V>,
    options?: BranchOptions<Name>,
  ): BranchedStream<K, V, KS, VS, WithBranch<Streams, Name, Stream<K, V, KS, VS>>> {
    this.#checkOpen('branch')
    checkFunction('branch', 'the predicate', predicate)
    this.#add('branch', options?.name, this.#predicates.length + 1, options)
    this.#predicates.push(predicate)
    return this as unknown as BranchedStream<K, V, KS, VS, WithBranch<Streams, Name, Stream<K, V, KS, VS>>>
  }

  /** The last branch: the records that no other has taken. @returns all branches */
  defaultBranch<Name extends string = string>(
    options?: BranchOptions<Name>,
  ): BranchStreams<WithBranch<Streams, Name, Stream<K, V, KS, VS>>, Stream<K, V, KS, VS>> {
    this.#checkOpen('defaultBranch')
    this.#add('defaultBranch', options?.name, 0, options)
    return this.#complete() as BranchStreams<
      WithBranch<Streams, Name, Stream<K, V, KS, VS>>,
      Stream<K, V, KS, VS>
    >
  }

  /** Records that no branch has taken are dropped. @returns all branches */
  noDefaultBranch(): BranchStreams<Streams, Stream<K, V, KS, VS>> {
    this.#checkOpen('noDefaultBranch')
    return this.#complete()
  }

  #complete(): BranchStreams<Streams, Stream<K, V, KS, VS>> {
    this.#isComplete = true
    return Object.fromEntries(this.#streams) as BranchStreams<Streams, Stream<K, V, KS, VS>>
  }

  #checkOpen(method: string): void {
    if (this.#isComplete)
      throw new TopologyError(`${this.#splitter.name}: ${method}: the default branch was the last one`)
  }

  #add(method: string, given: string | undefined, index: number, options: NameOption | undefined): void {
    checkStep(method, options, ['name'])
    const { graph } = this.#source
    const key = given ?? String(index)
    const name = this.#splitter.name + key
    if (this.#streams.has(key))
      throw new TopologyError(`${this.#splitter.name}: there are two branches ${key}; give each its own name`)
    // As in Kafka Streams: an index for the name that is not generated.
    graph.newName(name)
    this.#children.push(name)
    const node = new GraphNode(name, (topology, parents) =>
      topology.addProcessor(name, passThrough(), { parents, preservesKey: true }),
    )
    graph.add(node, this.#splitter)
    this.#streams.set(key, new Stream({ ...this.#source, node }))
  }
}
