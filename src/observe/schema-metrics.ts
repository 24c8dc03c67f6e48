import type { RegistryRequest } from '../schema-registry/registry-client.ts'
import { schemaMetricCatalogue } from './metric-catalogue.ts'
import { MetricSet, type MetricSnapshot } from './metric-set.ts'

/** What the process knows of its registry now. */
export interface SchemaUsage {
  readonly known: number
  /** Asked for, and not known yet. */
  readonly awaited: number
  /** Attempts made again, since the process began. */
  readonly retries: number
}

/** What is asked of the schema registry. Main thread only. */
export class SchemaMetrics {
  readonly #set = new MetricSet(schemaMetricCatalogue)
  readonly #seconds = new Map<RegistryRequest['kind'], { observe(value: number): void }>()

  readonly requested = ({ kind, outcome, durationMs }: RegistryRequest): void => {
    this.#set.count('weir_schema_registry_requests_total', { kind, outcome })
    if (outcome === 'failed') return
    let seconds = this.#seconds.get(kind)
    if (seconds === undefined) {
      seconds = this.#set.histogram('weir_schema_registry_request_seconds', { kind })
      this.#seconds.set(kind, seconds)
    }
    seconds.observe(durationMs / 1000)
  }

  collect({ known, awaited, retries }: SchemaUsage): Promise<MetricSnapshot> {
    this.#set.set('weir_schema_registry_schemas', {}, known)
    this.#set.set('weir_schema_registry_awaited_schemas', {}, awaited)
    this.#set.total('weir_schema_registry_retries_total', {}, retries)
    return this.#set.snapshot()
  }
}
