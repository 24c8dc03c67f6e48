import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatDuration, formatPercent } from '../../../src/cli/format.ts'
import { fitted } from '../../../src/cli/live-text.ts'
import { progressText } from '../../../src/cli/progress-bar.ts'

test('durations have the unit that suits them', () => {
  const cases: readonly (readonly [ms: number, text: string])[] = [
    [0, '0 s'],
    [0.42, '0.4 ms'],
    [12.4, '12 ms'],
    [999, '999 ms'],
    [3_210, '3.2 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 0 s'],
    [250_000, '4 min 10 s'],
    [7_500_000, '2 h 5 min'],
    [86_400_000 * 1_000 + 3_600_000, '1,000 d 1 h'],
  ]
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text)
  assert.equal(formatPercent(0.9734), '97.3 %')
})

test('a bar grows with what is done, and never beyond its end', () => {
  assert.equal(progressText('Reading', 0, 8), 'Reading  [------------------------]   0 %  0 of 8')
  assert.equal(
    progressText('Reading', 4_200, 10_000),
    'Reading  [##########--------------]  42 %  4,200 of 10,000',
  )
  assert.equal(progressText('Reading', 9, 8), 'Reading  [########################] 100 %  9 of 8')
  assert.equal(progressText('Reading', 9, 0), 'Reading  9')
})

test('a screen is never left: lines are cut, and those below the last one are counted', () => {
  assert.equal(fitted('a'.repeat(100), 30, 10), 'a'.repeat(29))
  assert.equal(fitted('1\n2\n3', 80, 4), '1\n2\n3')
  assert.equal(fitted('1\n2\n3\n4', 80, 4), '1\n2\n... and 2 more lines: the window is too low')
})
