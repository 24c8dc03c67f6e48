import { WeirError } from '../errors/weir-error.ts'

/** A topology that contradicts itself, or an option of it that is unknown or wrong. Kafka Streams' TopologyException. */
export class TopologyError extends WeirError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('topology-invalid', message, options)
    this.name = 'TopologyError'
  }
}
