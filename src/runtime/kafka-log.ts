import { KafkaLog } from '../native.ts'
import { type Logger, LogLimiter } from './logger.ts'

/** Syslog's: lines from here on are for those who look for something. */
const INFO_LEVEL = 6

/**
 * Sends what the process's librdkafka clients log, those of the stream threads too, to the logger: what goes on for minutes is said once a
 * minute for each client and facility.
 */
export function logKafkaClients(logger: Logger): KafkaLog {
  const limiter = new LogLimiter()
  return new KafkaLog(({ client, level, facility, message }) => {
    const fields = { client, facility }
    if (level >= INFO_LEVEL) logger.debug(fields, message)
    else limiter.once(`${client} ${facility}`, (heldBack) => logger.warn({ ...fields, heldBack }, message))
  })
}
