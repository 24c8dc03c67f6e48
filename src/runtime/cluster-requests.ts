import type { Config } from '../config/config.ts'
import { decisionFor } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { Logger } from './logger.ts'
import { retryWhileUnreachable } from './retry.ts'

export interface ClusterRequestOptions {
  readonly config: Pick<Config, 'bootstrapServers'>
  readonly logger: Logger
  /** Ends the waiting. */
  readonly signal: AbortSignal
  /** How long brokers may be unreachable. */
  readonly timeoutMs: number
}

/**
 * Asks the cluster, for as long as the brokers may be unreachable.
 *
 * @param what is attempted, for the message of a refusal: `describing topics`
 * @throws WeirError broker-unreachable, authentication-failed, authorization-failed, or by its own code
 */
export async function askCluster<T>(
  what: string,
  options: ClusterRequestOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const { config, logger, signal, timeoutMs } = options
  let waiting = false
  try {
    return await retryWhileUnreachable(attempt, {
      signal,
      timeoutMs,
      onRetry: (error) => {
        if (!waiting)
          logger.warn(
            { reason: messageOf(error) },
            `no broker of ${config.bootstrapServers} answers yet; trying again`,
          )
        waiting = true
      },
    })
  } catch (error) {
    throw explain(error, what, config.bootstrapServers)
  }
}

/** A native error in the words of who runs the application. */
function explain(error: unknown, what: string, bootstrapServers: string): WeirError {
  if (error instanceof WeirError) return error
  const { code } = decisionFor(error)
  const texts: Partial<Record<typeof code, string>> = {
    'broker-unreachable': `no broker of ${bootstrapServers} answers (WEIR_BOOTSTRAP_SERVERS)`,
    'authentication-failed': `the brokers of ${bootstrapServers} refuse the credentials`,
    'authorization-failed': `an ACL denies ${what}`,
  }
  return new WeirError(code, `${texts[code] ?? what}: ${messageOf(error)}`, { cause: error })
}
