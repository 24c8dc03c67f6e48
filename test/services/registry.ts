import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { answersOk } from './http.ts'
import { freePorts } from './ports.ts'
import { type Service, startService } from './service.ts'
import { serviceDir } from './toolchain.ts'

export interface RegistryService extends Service {
  /** Where Confluent's schema registry API begins. */
  readonly url: string
  readonly port: number
}

/**
 * Starts Apicurio Registry 2.6.13 on a free port of 127.0.0.1, with its schemas in memory: a restart forgets them. It finds every schema
 * compatible until a compatibility level is set by `PUT /config`. Takes about 4 s.
 */
export async function startRegistry(): Promise<RegistryService> {
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const service = await startService({
    name: 'registry',
    async prepare(dir) {
      mkdirSync(dir, { recursive: true })
      const home = serviceDir('registry')
      return {
        command: 'java',
        args: [
          '-Xmx512m',
          '-XX:TieredStopAtLevel=1',
          `-Duser.dir=${dir}`,
          '-Dquarkus.http.host=127.0.0.1',
          `-Dquarkus.http.port=${port}`,
          '-Dquarkus.http.test-port=0',
          '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
          '-cp',
          `${join(home, '*')}:${join(home, 'lib', '*')}`,
          'io.quarkus.runner.GeneratedMain',
        ],
        logFile: join(dir, 'server.log'),
        isReady: () => answersOk(`${url}/subjects`, 5_000),
        startTimeoutMs: 90_000,
      }
    },
  })
  return Object.defineProperties({ url, port }, Object.getOwnPropertyDescriptors(service)) as RegistryService
}
