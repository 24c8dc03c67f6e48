import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type ApplicationState, canFollow } from '../../../src/runtime/application-state.ts'

const states: readonly ApplicationState[] = [
  'created',
  'rebalancing',
  'running',
  'stopping',
  'failing',
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
    'created failing',
    'rebalancing running',
    'rebalancing stopping',
    'rebalancing failing',
    'running rebalancing',
    'running stopping',
    'running failing',
    'stopping stopped',
    'stopping failed',
    'failing failed',
  ])
})
