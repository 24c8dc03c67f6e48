import { messageOf, WeirError } from '../errors/weir-error.ts'
import { type MetricSample, parseSamples } from '../observe/parse-metrics.ts'

const TIMEOUT_MS = 5_000
const PORT_DEFAULT = 8080

/** What one look at a worker's /metrics has found. */
export class Scrape {
  /** Of a clock that only goes forward. */
  readonly atMs: number
  readonly #byName: ReadonlyMap<string, readonly MetricSample[]>

  constructor(samples: readonly MetricSample[], atMs: number) {
    this.atMs = atMs
    this.#byName = Map.groupBy(samples, ({ name }) => name)
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  of(name: string): readonly MetricSample[] {
    return this.#byName.get(name) ?? []
  }

  /** The sum of the samples with these labels; null when there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number | null {
    const wanted = Object.entries(labels)
    const found = this.of(name).filter((sample) =>
      wanted.every(([label, value]) => sample.labels[label] === value),
    )
    return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0)
  }

  /** The values that a label has. */
  values(name: string, label: string): string[] {
    return [...new Set(this.of(name).flatMap(({ labels }) => labels[label] ?? []))]
  }
}

/**
 * Where a worker's metrics are.
 *
 * @param given host:port, or a URL, with or without /metrics; null: what WEIR_HTTP_HOST and WEIR_HTTP_PORT say of this machine
 * @throws WeirError config-invalid
 */
export function metricsUrl(
  given: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): URL {
  const text = given ?? localAddress(environment)
  let url: URL
  try {
    url = new URL(/^https?:\/\//.test(text) ? text : `http://${text}`)
  } catch {
    throw new WeirError('config-invalid', `top ${text}: expected host:port or an http URL`)
  }
  if (url.pathname === '/') url.pathname = '/metrics'
  return url
}

function localAddress(environment: Readonly<Record<string, string | undefined>>): string {
  const port = environment.WEIR_HTTP_PORT || String(PORT_DEFAULT)
  if (!/^\d{1,5}$/.test(port) || port === '0')
    throw new WeirError('config-invalid', `WEIR_HTTP_PORT=${port} is no port to ask: give host:port`)
  const host = environment.WEIR_HTTP_HOST || '127.0.0.1'
  const everywhere = host === '0.0.0.0' || host === '::'
  return `${everywhere ? '127.0.0.1' : host}:${port}`
}

/** @throws WeirError worker-unreachable when nobody answers, or no worker */
export async function scrape(url: URL, signal: AbortSignal): Promise<Scrape> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  let text: string
  try {
    const response = await fetch(url, { signal: limit })
    text = await response.text()
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}: ${text.slice(0, 100)}`)
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    throw new WeirError(
      'worker-unreachable',
      `no worker answers at ${url}: ${messageOf(cause instanceof Error ? cause : error)}`,
      { cause: error },
    )
  }
  return readScrape(text, performance.now(), url)
}

/** @throws WeirError worker-unreachable for what a worker would not say */
export function readScrape(text: string, atMs: number, url: URL): Scrape {
  let samples: MetricSample[]
  try {
    samples = parseSamples(text)
  } catch (error) {
    throw new WeirError('worker-unreachable', `no worker answers at ${url}: ${messageOf(error)}`)
  }
  const scrape = new Scrape(samples, atMs)
  // A worker that is starting has none yet.
  if (samples.length > 0 && !scrape.has('weir_build_info'))
    throw new WeirError('worker-unreachable', `no worker answers at ${url}: its metrics are somebody else's`)
  return scrape
}
