/** Passes `input` on to `output`, TOPIC_PREFIX before both names; where a new group begins is RESET's to say. */
import {
  type OffsetReset,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  Topology,
} from '../../../src/index.ts'

class Pass implements Processor<string | null, string, string | null, string> {
  process(
    record: StreamRecord<string | null, string>,
    context: ProcessorContext<string | null, string>,
  ): void {
    context.forward(record)
  }
}

const prefix = process.env.TOPIC_PREFIX ?? ''
const string = { key: serdes.string, value: serdes.string }
const offsetReset = process.env.RESET as OffsetReset

export default new Topology()
  .addSource('in', { topics: `${prefix}input`, ...string, offsetReset })
  .addProcessor('pass', () => new Pass(), { parents: 'in' })
  .addSink('out', { parents: 'pass', topic: `${prefix}output`, ...string })
