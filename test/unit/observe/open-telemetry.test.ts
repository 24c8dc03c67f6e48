import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'

import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

import {
  BufferConfig,
  defineTopology,
  Headers,
  type Stream,
  type StreamsBuilder,
  Suppressed,
  serdes,
  TimeWindows,
  type TopologyModule,
} from '../../../src/index.ts'
import { type TestDriverOptions, TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string, value: serdes.string }
const trace1 = `00-${'1'.repeat(32)}-${'a'.repeat(16)}-01`
const trace2 = `00-${'2'.repeat(32)}-${'b'.repeat(16)}-01`

function carrying(traceparent: string): Headers {
  return Headers.empty.with('traceparent', traceparent).with('tracestate', 'vendor=value')
}

/** Records of one key with a trace each, 100 ms apart. @returns the outputs' traces */
async function tracesThrough(
  topology: TopologyModule,
  traces: readonly (string | null)[],
  options: TestDriverOptions = {},
): Promise<(string | undefined)[]> {
  await using driver = await TopologyTestDriver.open(topology, options)
  const input = driver.createInputTopic('in', { ...text, startTimestamp: 0, autoAdvanceMs: 100 })
  for (const [index, one] of traces.entries()) {
    const headers = one === null ? Headers.empty : carrying(one)
    await input.pipeRecord({ key: 'k', value: `v${index}`, headers })
  }
  const outputs = driver
    .createOutputTopic('out', { key: serdes.bytes, value: serdes.bytes })
    .readRecordsToList()
  return outputs.map(({ headers }) => headers.last('traceparent')?.value?.toString())
}

describe('a trace that came with a record goes with its outputs, as headers do in Kafka Streams', () => {
  const windows = TimeWindows.of({ sizeMs: 100, graceMs: 0 })
  const cases: Record<
    string,
    {
      through: (stream: Stream<string, string>, builder: StreamsBuilder) => unknown
      expected: unknown[]
    }
  > = {
    'operators and a repartition topic': {
      through: (stream) =>
        stream
          .mapValues((value) => `${value}!`)
          .selectKey(() => 'other')
          .repartition(text),
      expected: [trace1, trace2],
    },
    'an aggregate': {
      through: (stream) => stream.groupByKey().count({ store: 'counts' }).toStream(),
      expected: [trace1, trace2],
    },
    'a caching aggregate, which forwards at the commit': {
      through: (stream) => stream.groupByKey().count({ store: 'counts', caching: true }).toStream(),
      expected: [trace1, trace2],
    },
    'a suppression: that of the record whose change it held back': {
      through: (stream) =>
        stream
          .groupByKey()
          .windowedBy(windows)
          .count({ store: 'counts' })
          .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
          .toStream()
          .selectKey(({ key }) => key.key),
      expected: [trace1],
    },
    'a join: that of the record that is joined': {
      through: (stream, builder) => stream.leftJoin(builder.table('in2', text), (left) => left),
      expected: [trace1, trace2],
    },
  }
  for (const [name, { through, expected }] of Object.entries(cases)) {
    test(name, async () => {
      const topology = defineTopology((builder) => {
        const made = through(builder.stream('in', text), builder) as Stream<string, unknown>
        made.to('out', { key: serdes.string, value: serdes.json() })
      })
      assert.deepEqual(await tracesThrough(topology, [trace1, trace2]), expected)
    })
  }
})

describe('spans', () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  before(async () => {
    const { W3CTraceContextPropagator } = await import('@opentelemetry/core')
    trace.setGlobalTracerProvider(provider)
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  })
  after(() => {
    trace.disable()
    context.disable()
    propagation.disable()
  })
  beforeEach(() => exporter.reset())

  const traced = { tracing: 'records', applicationId: 'app' } as const
  const copied = defineTopology((builder) => builder.stream('in', text).to('out', text))

  function idOf(span: ReadableSpan): string {
    const { traceId, spanId } = span.spanContext()
    return `00-${traceId}-${spanId}-01`
  }

  test('one for each record, a child of what it came with, and the parent of what its outputs carry', async () => {
    const outputs = await tracesThrough(copied, [trace1, null], traced)
    const [first, second] = exporter.getFinishedSpans()
    assert.deepEqual(outputs, [idOf(first!), idOf(second!)])
    assert.equal(first!.spanContext().traceId, '1'.repeat(32))
    assert.equal(first!.parentSpanContext?.spanId, 'a'.repeat(16))
    assert.equal(second!.parentSpanContext, undefined)
    assert.deepEqual(
      [first!.name, first!.kind, first!.attributes],
      [
        'process in',
        SpanKind.CONSUMER,
        {
          'messaging.system': 'kafka',
          'messaging.operation.type': 'process',
          'messaging.destination.name': 'in',
          'messaging.destination.partition.id': '0',
          'messaging.kafka.offset': 0,
          'messaging.consumer.group.name': 'app',
        },
      ],
    )
  })

  test('processors work within it: their own spans are its children', async () => {
    const own = defineTopology((builder) => {
      builder.stream('in', text).peek(() => trace.getTracer('mine').startSpan('step').end())
    })
    await using driver = await TopologyTestDriver.open(own, traced)
    await driver.createInputTopic('in', text).pipeInput('k', 'v')
    const [step, process] = exporter.getFinishedSpans()
    assert.equal(step!.parentSpanContext?.spanId, process!.spanContext().spanId)
  })

  test('a promise belongs to it, too, and so does what comes of it', async () => {
    const own = defineTopology((builder) => {
      builder
        .stream('in', text)
        .peek(() => trace.getTracer('mine').startSpan('above').end())
        .mapValuesAsync(async (value) => {
          await new Promise((resolve) => setImmediate(resolve))
          trace.getTracer('mine').startSpan('request').end()
          return value
        })
        .peek(() => trace.getTracer('mine').startSpan('below').end())
        .to('out', text)
    })
    const [outgoing] = await tracesThrough(own, [trace1], traced)
    const spans = exporter.getFinishedSpans()
    assert.deepEqual(
      spans.map(({ name }) => name),
      ['above', 'request', 'below', 'process in'],
    )
    const process = spans.at(-1)!
    for (const span of spans.slice(0, 3))
      assert.equal(span.parentSpanContext?.spanId, process.spanContext().spanId, span.name)
    assert.equal(process.parentSpanContext?.spanId, 'a'.repeat(16))
    assert.equal(outgoing, `00-${'1'.repeat(32)}-${process.spanContext().spanId}-01`)
  })

  test('a promise that is rejected says why', async () => {
    const failing = defineTopology((builder) => {
      builder.stream('in', text).mapValuesAsync(() => Promise.reject(new RangeError('not this one')))
    })
    await using driver = await TopologyTestDriver.open(failing, {
      ...traced,
      processingExceptionHandler: 'continue',
    })
    await driver.createInputTopic('in', text).pipeInput('k', 'v')
    const [span] = exporter.getFinishedSpans()
    assert.deepEqual(span!.status, { code: SpanStatusCode.ERROR, message: 'not this one' })
  })

  test("what is forwarded for an earlier record keeps that one's trace", async () => {
    const held = defineTopology((builder) => {
      builder
        .stream('in', text)
        .groupByKey()
        .windowedBy(TimeWindows.of({ sizeMs: 100, graceMs: 0 }))
        .count({ store: 'counts' })
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
        .toStream()
        .to('out', { key: serdes.timeWindowed(serdes.string, 100), value: serdes.int64 })
    })
    assert.deepEqual(await tracesThrough(held, [trace1, trace2], traced), [trace1])
  })

  test('of a record that is dropped says why', async () => {
    const failing = defineTopology((builder) => {
      builder.stream('in', text).mapValues((): string => {
        throw new RangeError('not this one')
      })
    })
    await using driver = await TopologyTestDriver.open(failing, {
      ...traced,
      processingExceptionHandler: 'continue',
    })
    await driver.createInputTopic('in', text).pipeInput('k', 'v')
    const [span] = exporter.getFinishedSpans()
    assert.deepEqual(span!.status, { code: SpanStatusCode.ERROR, message: 'not this one' })
    assert.equal(span!.events[0]!.attributes!['exception.type'], 'RangeError')
  })
})
