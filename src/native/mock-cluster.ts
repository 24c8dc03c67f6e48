import { addon } from './addon.ts'

/** librdkafka's mock brokers in this process: for the demo and for unit tests, never the ground for a guarantee's test. */
export interface MockCluster {
  readonly bootstrapServers: string
  createTopic(name: string, partitions: number): void
  /** The next requests of that kind answer with these errors, in order. @param apiKey Kafka's request number (0 Produce, 1 Fetch, ...) */
  injectErrors(apiKey: number, errors: readonly string[]): void
  close(): void
}

export const { MockCluster } = addon as {
  MockCluster: { new (options: { brokers: number }): MockCluster }
}
