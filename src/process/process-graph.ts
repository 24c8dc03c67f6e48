import type { TaskRows } from '../cassandra/row-write.ts'
import { WriteClock } from '../cassandra/write-clock.ts'
import { NodeCounters } from '../observe/node-counters.ts'
import type { OutputBatch } from '../produce/output-batch.ts'
import type { Store } from '../state/store.ts'
import { nodesAboveAsync } from '../topology/async-processors.ts'
import {
  type AsyncProcessorDefinition,
  isAsync,
  type NodeDefinition,
  type ProcessorDefinition,
  type SourceDefinition,
  type SubtopologyDefinition,
  sinkTopics,
} from '../topology/definition.ts'
import { wholeMatcher } from '../topology/topic-patterns.ts'
import { AsyncProcessorNode } from './async/async-node.ts'
import { CalledNode, DeferredNode } from './async/run-ahead.ts'
import { CassandraSinkNode, WriteClockNode } from './cassandra-sink-node.ts'
import { GuardedProcessorNode, type Node, ProcessorNode, SinkNode, type SinkTopic } from './node.ts'
import type { Processor } from './processor.ts'
import { type TaskEnvironment, TaskProcessorContext } from './task-processor-context.ts'

/** A source's part of the graph: how to read its records, and where they go. */
export interface SourceNode {
  readonly definition: SourceDefinition
  readonly counters: NodeCounters
  readonly children: readonly Node[]
}

/** One task's instance of a sub-topology: its own processors, connected. Kafka Streams' ProcessorTopology. */
export class ProcessGraph {
  /** By the topic's name in the definition. */
  readonly #sources = new Map<string, SourceNode>()
  readonly #patternSources: { readonly matches: (topic: string) => boolean; readonly source: SourceNode }[] =
    []
  readonly #processors: readonly ProcessorNode[]

  /**
   * @param topics the sinks' topics, by their name in the definition
   * @param globalStores what every processor can read
   * @param rows where rows for Cassandra go. REQUIRES them when the sub-topology has sinks there, and that the task's start was counted
   */
  constructor(
    definition: SubtopologyDefinition,
    environment: TaskEnvironment,
    stores: ReadonlyMap<string, Store>,
    topics: (name: string) => SinkTopic,
    output: OutputBatch,
    globalStores: ReadonlyMap<string, Store> = new Map(),
    rows: TaskRows | null = null,
  ) {
    const nodes = new Map<string, Node>()
    const { nodeCounters = (_: string, isLast: boolean) => new NodeCounters(isLast) } = environment
    const { processorMetadata } = environment
    const hasSinks = definition.nodes.some(({ kind }) => kind === 'cassandra-sink')
    const writeClock = hasSinks ? new WriteClock(processorMetadata) : null
    const processors: ProcessorNode[] = []
    const ahead = environment.runAhead ?? null
    const above = nodesAboveAsync(definition.nodes)
    const childrenOf = (parent: string, goesAhead: boolean): Node[] =>
      definition.nodes
        .filter((node) => node.kind !== 'source' && node.parents.includes(parent))
        .map((node) => {
          const child = build(node)
          const waits = goesAhead && !above.has(node.name) && !isAsync(node)
          return waits ? new DeferredNode(child, ahead!) : child
        })
    const build = (node: NodeDefinition): Node => {
      const present = nodes.get(node.name)
      if (present !== undefined) return present
      let built: Node
      if (node.kind === 'sink') {
        built = new SinkNode(node, sinkTopics(node).map(topics), output, environment)
      } else if (node.kind === 'processor') {
        built = buildProcessor(node)
      } else if (node.kind === 'cassandra-sink') {
        built = new CassandraSinkNode(node, rows!, writeClock!, environment)
      } else {
        throw new Error(`${node.name}: a source has no parent`)
      }
      nodes.set(node.name, built)
      return built
    }
    const buildProcessor = (node: ProcessorDefinition | AsyncProcessorDefinition): Node => {
      const own = node.stores.map((name) => [name, stores.get(name)!] as const)
      const connected = new Map([...globalStores, ...own])
      const goesAhead = above.has(node.name)
      const shared = goesAhead ? { ...environment, goesAhead } : environment
      const children = childrenOf(node.name, goesAhead)
      const context = new TaskProcessorContext(node.name, shared, connected, children)
      const counters = nodeCounters(node.name, children.length === 0)
      const { clock, errors } = environment
      const guard = errors?.processingFailed ?? null
      const failed = guard !== null && goesAhead ? ahead!.failed.bind(ahead) : guard
      const wrap = (processor: Processor): ProcessorNode => {
        const wrapped =
          failed === null
            ? new ProcessorNode(node.name, processor, context, clock, counters)
            : new GuardedProcessorNode(node.name, processor, context, clock, counters, failed)
        processors.push(wrapped)
        return wrapped
      }
      return isAsync(node)
        ? new CalledNode(
            new AsyncProcessorNode(node.name, node.asyncSupplier(), node.concurrency, counters, wrap),
            ahead!,
          )
        : wrap(node.supplier())
    }
    const clockOfTurns = (source: string, writes: WriteClock): Node => {
      const child = new WriteClockNode(source, writes)
      return ahead === null ? child : new DeferredNode(child, ahead)
    }
    for (const node of definition.nodes) {
      if (node.kind !== 'source') continue
      const below = childrenOf(node.name, ahead !== null)
      const children = writeClock === null ? below : [clockOfTurns(node.name, writeClock), ...below]
      const counters = nodeCounters(node.name, false)
      const source = { definition: node, counters, children }
      for (const topic of node.topics) this.#sources.set(topic, source)
      if (node.pattern !== undefined)
        this.#patternSources.push({ matches: wholeMatcher(node.pattern), source })
    }
    // Children were built before their parents; processors are started in order of definition.
    const order = new Map(definition.nodes.map((node, index) => [node.name, index]))
    this.#processors = processors.sort((a, b) => order.get(a.name)! - order.get(b.name)!)
  }

  /** @param topic its name in the definition, or one that a source's pattern matches */
  source(topic: string): SourceNode {
    const named = this.#sources.get(topic)
    if (named !== undefined) return named
    const found = this.#patternSources.find(({ matches }) => matches(topic))
    if (found === undefined) throw new Error(`no source reads ${topic}`)
    return found.source
  }

  init(): void {
    for (const processor of this.#processors) processor.init()
  }

  /** Closes every processor; the first error is thrown after all were closed. */
  close(): void {
    const errors: unknown[] = []
    for (const processor of this.#processors) {
      try {
        processor.close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
