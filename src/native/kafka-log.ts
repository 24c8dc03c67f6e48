import { addon } from './addon.ts'

/** A line of a librdkafka client: `client` is its name (`weir#consumer-1`), `level` syslog's (3 error, 7 debugging). */
export interface KafkaLogLine {
  readonly client: string
  readonly level: number
  readonly facility: string
  readonly message: string
}

/** Gets the lines of all clients of this process, of every thread, until it is closed; without one they go to stderr. The youngest
 * has them. Lines beyond 1,024 that wait to be told are dropped. */
export interface KafkaLog {
  close(): void
}

export const { KafkaLog } = addon as {
  KafkaLog: { new (onLine: (line: KafkaLogLine) => void): KafkaLog }
}
