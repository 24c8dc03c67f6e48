import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { freePorts } from './ports.ts'
import { type Service, startService } from './service.ts'
import { toolchainDir } from './toolchain.ts'

export interface PrometheusOptions {
  /** Of the worker that is scraped, as the job `weir`. */
  readonly port: number
  /** Rule files' text. */
  readonly rules: string
  readonly scrapeIntervalSeconds: number
}

export interface Alert {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface PrometheusService extends Service {
  /** Those that fire now. */
  firing(): Promise<Alert[]>
}

interface AlertsAnswer {
  readonly data: {
    readonly alerts: readonly {
      readonly labels: Readonly<Record<string, string>>
      readonly state: string
      readonly value: string
    }[]
  }
}

/** A program of Debian's package `prometheus`. Throws when the set-up has not unpacked it. */
export function prometheusProgram(name: 'prometheus' | 'promtool'): string {
  const program = join(toolchainDir(), 'prometheus', 'usr', 'bin', name)
  if (!existsSync(program)) throw new Error(`${program} is missing: run scripts/setup.sh --test`)
  return program
}

/** Starts a Prometheus that scrapes one worker and evaluates rules, on a free port of 127.0.0.1. Takes less than a second. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusService> {
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}`
  const service = await startService({
    name: 'prometheus',
    prepare: async (dir) => {
      const { scrapeIntervalSeconds: seconds } = options
      mkdirSync(join(dir, 'data'))
      writeFileSync(join(dir, 'rules.yml'), options.rules)
      writeFileSync(
        join(dir, 'prometheus.yml'),
        [
          `global: { scrape_interval: ${seconds}s, scrape_timeout: ${seconds}s, evaluation_interval: 1s }`,
          'rule_files: [rules.yml]',
          `scrape_configs: [{ job_name: weir, static_configs: [{ targets: ['127.0.0.1:${options.port}'] }] }]`,
          '',
        ].join('\n'),
      )
      return {
        command: prometheusProgram('prometheus'),
        args: [
          `--config.file=${join(dir, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(dir, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--log.level=warn',
        ],
        logFile: join(dir, 'prometheus.log'),
        isReady: () => isReady(url),
        startTimeoutMs: 30_000,
      }
    },
  })
  const firing = async (): Promise<Alert[]> => {
    const answer = (await (await fetch(`${url}/api/v1/alerts`)).json()) as AlertsAnswer
    return answer.data.alerts
      .filter(({ state }) => state === 'firing')
      .map(({ labels, value }) => ({ name: labels.alertname!, labels, value: Number(value) }))
  }
  return Object.defineProperties({ firing }, Object.getOwnPropertyDescriptors(service)) as PrometheusService
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok
  } catch {
    return false
  }
}
