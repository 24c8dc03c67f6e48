import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type ApplicationState, canFollow } from '../../../src/runtime/application-state.ts'

const states: readonly ApplicationState[] = [
  'created',
  'rebalancing',
  'running',
  'stopping',
  'stopped',
  'failed',
]

test('the transitions are those of the drawing', () => {
  const drawn = states.flatMap((from) =>
    states.filter((to) => canFollow(from, to)).map((to) => `${from} ${to}`),
  )
  assert.deepEqual(drawn, [
    'created rebalancing',
    'created stopping',
    'rebalancing running',
    'rebalancing stopping',
    'running rebalancing',
    'running stopping',
    'stopping stopped',
    'stopping failed',
  ])
})
