import { flushCompileCache } from 'node:module'

import { checkNativeSettings } from '../config/check-native.ts'
import { loadConfig } from '../config/load.ts'
import { Console } from '../console/console.ts'
import { messageOf } from '../errors/weir-error.ts'
import { buildInfo } from '../observe/build-info.ts'
import { type HttpServer, startHttpServer } from '../observe/http-server.ts'
import { createLogger } from '../observe/logger.ts'
import { RecentLines } from '../observe/recent-lines.ts'
import { queryRoutes } from '../query/http-routes.ts'
import type { Application } from '../runtime/application.ts'
import { checkCassandra } from '../runtime/prepare-cassandra.ts'
import { FORWARDED_PATH } from '../runtime/queries/forwarding.ts'
import { startApplication } from '../runtime/start-application.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { topologyGraph } from '../topology/topology-graph.ts'
import { reportConfig } from './config-command.ts'
import { onStopSignals } from './stop-signals.ts'

/**
 * `weir run`: a worker, from its settings to its end. What can be wrong without a broker is found before anything is connected.
 *
 * @throws WeirError with one line
 */
export async function runWorker(modulePath: string): Promise<void> {
  const config = loadConfig()
  const recent = new RecentLines()
  const logger = createLogger(config, undefined, recent)
  const topology = moduleUrlOf(modulePath)
  const definition = await loadTopology(topology, config.topologyOptimization)
  checkCassandra(definition, config)
  await checkNativeSettings(config, definition)

  const build = buildInfo()
  const stop = new AbortController()
  const restoreSignals = onStopSignals((signal) => {
    logger.info({ signal }, 'stopping; a second signal ends the process at once')
    stop.abort()
  })
  let application: Application | null = null
  const starting = { ok: false, reason: 'the application is starting' } as const
  const page =
    config.console === 'off'
      ? null
      : new Console({
          config,
          topology: topologyGraph(definition),
          application: () => application,
          recent,
          settings: () => reportConfig({ json: true }).text,
        })
  const serve = async (): Promise<HttpServer> => {
    const server = await startHttpServer({
      host: config.httpHost,
      port: config.httpPort,
      token: config.httpToken,
      limits: { requestsPerSecondMax: config.httpRequestsPerSecondMax },
      metrics: async () => (await application?.metrics()) ?? '',
      health: () => application?.health() ?? { ok: true, ...build },
      ready: () => application?.ready() ?? starting,
      routes: [queryRoutes(() => application, FORWARDED_PATH), ...(page === null ? [] : [page.routes])],
      pages: page === null ? [] : [page.pages],
      onError: (error) => logger.error({ reason: messageOf(error) }, 'an HTTP request failed'),
    })
    const served = `/metrics, /healthz, /readyz and /state${page === null ? '' : ', and the console at /console/'}`
    logger.info({ url: server.url }, `serving ${served}`)
    return server
  }
  let http: HttpServer | null = null
  try {
    http = config.httpPort < 0 ? null : await serve()
    application = await startApplication({ topology, config, logger, signal: stop.signal })
    // As in each stream thread.
    flushCompileCache()
    await application.closed
  } catch (error) {
    // Asked to stop while it was still starting: nothing was processed, everything is closed again.
    if (error !== stop.signal.reason) throw error
  } finally {
    restoreSignals()
    await http?.close()
  }
}
