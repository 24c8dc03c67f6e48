import type { Context, Span, Tracer } from '@opentelemetry/api'

import { messageOf, WeirError } from '../errors/weir-error.ts'
import { Headers } from '../process/headers.ts'
import type { RecordTrace, RecordTracer } from '../process/record-tracer.ts'

type Api = typeof import('@opentelemetry/api')
type Carrier = Record<string, string>

/**
 * A tracer over the OpenTelemetry SDK that the topology's module (or what was imported before it) has registered in this thread; without one it
 * does nothing.
 *
 * @throws WeirError config-invalid when @opentelemetry/api is not installed
 */
export async function openTelemetryTracer(applicationId: string): Promise<RecordTracer> {
  try {
    return new OpenTelemetryTracer(await import('@opentelemetry/api'), applicationId)
  } catch (error) {
    const what = 'WEIR_TRACING=records needs the package @opentelemetry/api to be installed'
    throw new WeirError('config-invalid', `${what}: ${messageOf(error)}`, { cause: error })
  }
}

/** What the record at work came with, and the context that its outputs get. */
interface AtWork {
  readonly span: Span
  readonly context: Context
  readonly carrier: Carrier
}

/**
 * Spans by OpenTelemetry's conventions for messaging: one for each input record, `process <topic>`, of kind consumer, whose parent is what the headers carry (by
 * default W3C's traceparent and tracestate: that is the SDK's propagator).
 */
export class OpenTelemetryTracer implements RecordTracer {
  readonly #api: Api
  readonly #tracer: Tracer
  readonly #applicationId: string
  #atWork: AtWork | null = null

  constructor(api: Api, applicationId: string) {
    this.#api = api
    this.#tracer = api.trace.getTracer('weir')
    this.#applicationId = applicationId
  }

  trace(topic: string, partition: number, offset: number, headers: Headers, process: () => void): void {
    const trace = this.begin(topic, partition, offset, headers)
    try {
      trace.run(process)
    } finally {
      trace.end()
    }
  }

  begin(topic: string, partition: number, offset: number, headers: Headers): RecordTrace {
    const { propagation, context, trace, ROOT_CONTEXT, SpanKind } = this.#api
    const carrier = carrierOf(headers, propagation.fields())
    const parent = propagation.extract(ROOT_CONTEXT, carrier)
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.kafka.offset': offset,
      'messaging.consumer.group.name': this.#applicationId,
    }
    const span = this.#tracer.startSpan(`process ${topic}`, { kind: SpanKind.CONSUMER, attributes }, parent)
    const own = trace.setSpan(parent, span)
    const run = <T>(part: () => T): T => {
      this.#atWork = { span, context: own, carrier }
      try {
        return context.with(own, part)
      } catch (error) {
        this.failed(error instanceof Error ? error : new Error(String(error)))
        throw error
      } finally {
        this.#atWork = null
      }
    }
    return { run, end: () => span.end() }
  }

  outgoing(headers: Headers): Headers {
    if (this.#atWork === null) return headers
    const { propagation } = this.#api
    const fields = propagation.fields()
    // What is forwarded for an earlier record belongs to that one's trace.
    if (!isSame(carrierOf(headers, fields), this.#atWork.carrier)) return headers
    const carrier: Carrier = {}
    propagation.inject(this.#atWork.context, carrier)
    const added = Object.entries(carrier).map(([key, value]) => ({ key, value: Buffer.from(value) }))
    return new Headers([...[...headers].filter(({ key }) => !fields.includes(key)), ...added])
  }

  failed(error: Error): void {
    const span = this.#atWork?.span
    span?.recordException(error)
    span?.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: messageOf(error) })
  }
}

function carrierOf(headers: Headers, fields: readonly string[]): Carrier {
  const carrier: Carrier = {}
  for (const field of fields) {
    const value = headers.last(field)?.value ?? null
    if (value !== null) carrier[field] = value.toString()
  }
  return carrier
}

function isSame(a: Carrier, b: Carrier): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
