import { addon } from './addon.ts'
import type { Producer } from './producer.ts'

/** A producer without a broker: its topics are in this process, one partition each, and everything is delivered at once. For the test driver. */
export interface LocalProducer extends Producer {
  /** What was produced since the last call, in order, big-endian: topic(4) timestamp(8) keyLength(4) key valueLength(4) value
   * headersLength(4) headers. A length of -1 is null. */
  take(): Buffer
}

export const { LocalProducer } = addon as {
  LocalProducer: { new (): LocalProducer }
}
