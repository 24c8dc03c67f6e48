/**
 * prom-client's metrics and their registry, each from its own file: the package's index loads an HTTP client besides, for a push gateway, and every
 * stream thread would load it anew.
 */
import { createRequire } from 'node:module'

import type * as Prometheus from 'prom-client'

const load = createRequire(import.meta.url)

export type Counter = Prometheus.Counter
export type Gauge = Prometheus.Gauge
export type Histogram = Prometheus.Histogram

export const Counter = load('prom-client/lib/counter.js') as typeof Prometheus.Counter
export const Gauge = load('prom-client/lib/gauge.js') as typeof Prometheus.Gauge
export const Histogram = load('prom-client/lib/histogram.js') as typeof Prometheus.Histogram
export const Registry = load('prom-client/lib/registry.js') as typeof Prometheus.Registry
