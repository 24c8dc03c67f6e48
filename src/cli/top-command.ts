import { setTimeout as sleep } from 'node:timers/promises'

import { messageOf } from '../errors/weir-error.ts'
import { fitted, LiveText } from './live-text.ts'
import { onStopSignals } from './stop-signals.ts'
import { type TopFigures, topFigures } from './top-figures.ts'
import { metricsUrl, type Scrape, scrape } from './top-scrape.ts'
import { topText } from './top-view.ts'

export interface TopOptions {
  readonly intervalMs: number
  readonly once: boolean
  readonly json: boolean
}

/**
 * `weir top`: what a running worker does, from its /metrics. Drawn anew in place on a terminal, else printed one after the other.
 *
 * @param given as of metricsUrl
 * @throws WeirError with one line
 */
export async function showTop(given: string | null, options: TopOptions): Promise<void> {
  const url = metricsUrl(given, process.env)
  const stop = new AbortController()
  const { signal } = stop
  const pause = (): Promise<void> => sleep(options.intervalMs, undefined, { signal }).catch(() => {})
  const restoreSignals = onStopSignals(() => stop.abort())
  const live =
    !options.once && !options.json && process.stdout.isTTY === true ? new LiveText(process.stdout) : null
  const print = (figures: TopFigures): void => {
    if (options.json) process.stdout.write(`${JSON.stringify(figures, null, options.once ? 2 : 0)}\n`)
    else if (live === null) process.stdout.write(`${topText(figures)}\n${options.once ? '' : '\n'}`)
    else live.draw(`${topText(figures)}\n\nCtrl-C ends.`)
  }
  try {
    let before = await scrape(url, signal)
    live?.draw(`Weir at ${url.host}: the first rates come in ${options.intervalMs / 1_000} s`)
    for (;;) {
      await pause()
      if (signal.aborted) return
      const now = await nextScrape(url, signal, live)
      if (now === null) continue
      print(topFigures(before, now, url, Date.now()))
      before = now
      if (options.once) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    live?.done()
    restoreSignals()
  }
}

/** @param live where one watches, a worker that is away is waited for: null then */
async function nextScrape(url: URL, signal: AbortSignal, live: LiveText | null): Promise<Scrape | null> {
  try {
    return await scrape(url, signal)
  } catch (error) {
    if (live === null || signal.aborted) throw error
    live.draw(fitted(`${messageOf(error)}\n\nTrying again. Ctrl-C ends.`, live.columns, 24))
    return null
  }
}
