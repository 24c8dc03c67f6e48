import { createRequire } from 'node:module'

import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino'

import type { Config } from '../config/config.ts'
import type { RecentLines } from './recent-lines.ts'

export type { Logger } from 'pino'

/**
 * The process's logger: one JSON object a line with `time` (ISO 8601), `level` (a word), `message` and fields; or coloured text for people. Lines
 * are written at once, so that the last one before an exit is there.
 *
 * @param destination where to, standard output by default
 * @param recent remembers the last warnings and errors; none by default
 */
export function createLogger(
  config: Pick<Config, 'logLevel' | 'logFormat'>,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
  recent?: RecentLines,
): Logger {
  const stream = config.logFormat === 'pretty' ? coloured(destination) : destination
  return pino(
    {
      level: config.logLevel,
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      ...(recent !== undefined && { hooks: remembering(recent) }),
    },
    stream,
  )
}

function remembering(recent: RecentLines): NonNullable<LoggerOptions['hooks']> {
  return {
    logMethod(args, method, level) {
      recent.add(level, args)
      method.apply(this, args)
    },
  }
}

const load = createRequire(import.meta.url)

/** pino-pretty is loaded where people read: most workers write JSON. */
function coloured(destination: DestinationStream): DestinationStream {
  const { PinoPretty } = load('pino-pretty') as typeof import('pino-pretty')
  return PinoPretty({
    destination,
    messageKey: 'message',
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
  })
}
