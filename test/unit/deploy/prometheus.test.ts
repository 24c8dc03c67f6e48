/** Alert rules and dashboard: what they ask is PromQL, by Prometheus' own grammar, of metrics that there are. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { parser } from '@prometheus-io/lezer-promql'
import { parse } from 'yaml'

import { allMetrics } from '../../support/seen-metrics.ts'

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** Of Prometheus itself, and of prom-client, which docs/metrics.md leaves to them. */
const foreignMetrics = ['up', 'process_resident_memory_bytes']

/** @returns the metrics that a query asks for. @throws when it is no PromQL */
function metricsOf(query: string): string[] {
  const metrics: string[] = []
  parser.parse(query).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new SyntaxError(`no PromQL at ${from} of: ${query}`)
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector')
        metrics.push(query.slice(from, to))
    },
  })
  return metrics
}

/** Those that nothing shows. */
function unknown(query: string): string[] {
  return metricsOf(query).filter(
    (name) =>
      ![name, name.replace(/_(bucket|sum|count)$/, '')].some(
        (one) => allMetrics.includes(one) || foreignMetrics.includes(one),
      ),
  )
}

test('what is no PromQL is refused, and what nothing shows is found', () => {
  assert.throws(() => metricsOf('sum by (topic) (weir_consume_lag_records'), SyntaxError)
  assert.throws(() => metricsOf('rate(weir_process_records_total[5 m])'), SyntaxError)
  assert.deepEqual(unknown('weir_consume_lag_recrods > 0 and weir_commit_seconds_bucket'), [
    'weir_consume_lag_recrods',
  ])
})

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

describe('deploy/prometheus/alerts.yml', () => {
  const { groups } = parse(read('deploy/prometheus/alerts.yml')) as {
    readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
  }
  const rules = groups.flatMap((group) => group.rules)

  test('has rules, each of a name of its own', () => {
    assert.ok(rules.length >= 10)
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  })

  for (const rule of rules)
    test(rule.alert, () => {
      assert.match(rule.alert, /^Weir[A-Z][A-Za-z]+$/)
      assert.deepEqual(unknown(rule.expr), [])
      assert.match(rule.for ?? '1m', /^[1-9]\d*m$/)
      assert.match(rule.labels.severity, /^(critical|warning|info)$/)
      assert.ok(rule.annotations.summary.length > 0)
      const [page, anchor] = rule.annotations.runbook.split('#')
      assert.equal(page, 'docs/operating.md')
      assert.match(anchor ?? '', /^[a-z]+(-[a-z]+)*$/)
      if (existsSync(new URL('../../../docs/operating.md', import.meta.url)))
        assert.ok(
          anchorsOf(read('docs/operating.md')).includes(anchor!),
          `docs/operating.md has no #${anchor}`,
        )
    })
})

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}

describe('deploy/grafana/dashboards/weir.json', () => {
  const dashboard = JSON.parse(read('deploy/grafana/dashboards/weir.json')) as {
    readonly panels: readonly Panel[]
    readonly templating: { readonly list: readonly { readonly name: string }[] }
  }
  const { panels } = dashboard

  test('asks for metrics that there are, of the jobs and instances that are chosen', () => {
    const variables = dashboard.templating.list.map(({ name }) => name)
    const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
    assert.ok(queries.length > 50)
    for (const { title, expr } of queries) {
      assert.deepEqual(unknown(expr.replaceAll('$__rate_interval', '1m')), [], title)
      const used = [...expr.matchAll(/"\$(\w+)"/g)].map(([, name]) => name!)
      assert.deepEqual([...new Set(used)].toSorted(), ['instance', 'job'], title)
      for (const name of used) assert.ok(variables.includes(name), name)
    }
  })

  test('panels have ids of their own, fit into the width and lie beside each other', () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const taken = new Map<string, string>()
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of panels) {
      assert.ok(x >= 0 && x + w <= 24, title)
      for (let row = y; row < y + h; row++)
        for (let column = x; column < x + w; column++) {
          const place = `${column} ${row}`
          assert.equal(taken.get(place), undefined, `${title} lies over it`)
          taken.set(place, title)
        }
    }
  })
})
