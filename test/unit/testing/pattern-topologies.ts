import type { Processor, ProcessorContext } from '../../../src/process/processor.ts'
import type { StreamRecord } from '../../../src/process/record.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { OperatorTopology } from '../process/operators/operator-topology.ts'

type Text = string | null

const text = { key: serdes.string as Serde<Text>, value: serdes.string as Serde<Text> }

/** Adds the topic that a record comes from, and its offset. */
class Placing implements Processor<Text, Text, Text, Text> {
  #context!: ProcessorContext<Text, Text>

  init(context: ProcessorContext<Text, Text>): void {
    this.#context = context
  }

  process({ key, value, timestamp, headers }: StreamRecord<Text, Text>): void {
    const from = this.#context.recordMetadata()
    const place = from === null ? 'nowhere' : `${from.topic}@${from.offset}`
    this.#context.forward({ key, value: `${value} ${place}`, timestamp, headers })
  }
}

/** The topologies of test/oracle/topics/PatternTopologies.java. */
export const patternTopologies: Record<string, OperatorTopology> = {
  pattern: (builder, out) => out(builder.stream(/[a]|[b]/, text).processValues(() => new Placing())),

  'pattern-beside-topic': (builder, out) => {
    const counted = builder
      .stream('a', text)
      .merge(builder.stream(/[b]|c.*/, text))
      .groupByKey()
      .count()
    out(counted.toStream().mapValues(String))
  },

  'pattern-repartitioned': (builder, out) => {
    const counted = builder
      .stream(/[a]|[b]/, text)
      .filter(({ value }) => value !== null)
      .selectKey(({ value }) => value)
      .groupByKey(text)
      .count()
    out(counted.toStream().mapValues(String))
  },

  'pattern-joined': (builder, out) => {
    const stream = builder.stream('a', text)
    const table = builder.stream(/[b]|c/, text).toTable()
    out(stream.leftJoin(table, (l, r) => `${l}+${r}`))
  },

  'pattern-written': (builder, out) => {
    builder.stream('a', text).to('made')
    out(builder.stream(/[b]|made/, text).processValues(() => new Placing()))
  },
}
