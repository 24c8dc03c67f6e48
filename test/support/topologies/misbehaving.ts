/** Passes `input` on to `output`, TOPIC_PREFIX before both names; a value may ask for what a thread must not do. */
import {
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  Topology,
} from '../../../src/index.ts'

const never = new Int32Array(new SharedArrayBuffer(4))

class Misbehaving implements Processor<string | null, string, string | null, string> {
  process(
    record: StreamRecord<string | null, string>,
    context: ProcessorContext<string | null, string>,
  ): void {
    // Waiting costs the other tests no core; the event loop gets no turn either way.
    if (record.value === 'hang') for (;;) Atomics.wait(never, 0, 0, 1_000)
    if (record.value === 'exit') process.exit(0)
    if (record.value === 'reject') void Promise.reject(new Error('nobody awaits this'))
    context.forward(record)
  }
}

const prefix = process.env.TOPIC_PREFIX ?? ''
const string = { key: serdes.string, value: serdes.string }

export default new Topology()
  .addSource('in', { topics: `${prefix}input`, ...string })
  .addProcessor('misbehaving', () => new Misbehaving(), { parents: 'in' })
  .addSink('out', { parents: 'misbehaving', topic: `${prefix}output`, ...string })
