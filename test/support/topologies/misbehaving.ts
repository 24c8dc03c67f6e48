/** Passes `input` on to `output`; a value may ask for what a thread must not do. */
import {
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  Topology,
} from '../../../src/index.ts'

class Misbehaving implements Processor<string | null, string, string | null, string> {
  process(
    record: StreamRecord<string | null, string>,
    context: ProcessorContext<string | null, string>,
  ): void {
    if (record.value === 'hang') for (;;);
    if (record.value === 'exit') process.exit(0)
    if (record.value === 'reject') void Promise.reject(new Error('nobody awaits this'))
    context.forward(record)
  }
}

const string = { key: serdes.string, value: serdes.string }

export default new Topology()
  .addSource('in', { topics: 'input', ...string })
  .addProcessor('misbehaving', () => new Misbehaving(), { parents: 'in' })
  .addSink('out', { parents: 'misbehaving', topic: 'output', ...string })
