import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Counter, Gauge, Registry } from 'prom-client'

import { parseSamples } from '../../../src/observe/parse-metrics.ts'

test('reads what prom-client writes', async () => {
  const registry = new Registry()
  const counter = new Counter({
    name: 'a_total',
    help: 'Two\nlines',
    labelNames: ['x', 'y'],
    registers: [registry],
  })
  const gauge = new Gauge({ name: 'b', help: 'b', registers: [registry] })
  const odd = 'a "b" \\ c\n, d="e"}'
  counter.inc({ x: odd, y: '' }, 1.5)
  const none = new Gauge({ name: 'c', help: 'c', registers: [registry] })
  gauge.set(Number.POSITIVE_INFINITY)
  none.set(Number.NaN)
  assert.deepEqual(parseSamples(await registry.metrics()), [
    { name: 'a_total', labels: { x: odd, y: '' }, value: 1.5 },
    { name: 'b', labels: {}, value: Number.POSITIVE_INFINITY },
    { name: 'c', labels: {}, value: Number.NaN },
  ])
})

test('reads what others write: times, blanks, commas at the end', () => {
  const text = '\n# HELP a b\na{ x="1" , y="2", } 3e2 1700000000000\nb NaN\nc -Inf\n'
  assert.deepEqual(parseSamples(text), [
    { name: 'a', labels: { x: '1', y: '2' }, value: 300 },
    { name: 'b', labels: {}, value: Number.NaN },
    { name: 'c', labels: {}, value: Number.NEGATIVE_INFINITY },
  ])
})

for (const line of ['<html>', 'a{x=1} 2', 'a{x="1" y="2"} 2', 'a', 'a b', 'a{x="1} 2', '1a 2']) {
  test(`${line} is no sample`, () => {
    assert.throws(() => parseSamples(line), {
      name: 'SyntaxError',
      message: `not a sample of Prometheus' text: ${line}`,
    })
  })
}
