import assert from 'node:assert/strict'
import { test } from 'node:test'

import { WeirError } from '../../../src/errors/weir-error.ts'
import { compareTopics, TopicWatch } from '../../../src/runtime/topic-watch.ts'

const before = new Map([
  ['a', { partitions: 4, id: '' }],
  ['b', { partitions: 2, id: 'first' }],
])
const topic = (name: string, partitions: number, id = '') => ({ name, partitions, id, replicationFactor: 1 })

test('topics that are as they were', () => {
  assert.equal(compareTopics(before, [topic('b', 2), topic('a', 4), topic('other', 9)]), null)
})

test('a topic that grew is named with both counts', () => {
  const problem = compareTopics(before, [topic('a', 6), topic('b', 2)])
  assert.equal(problem?.code, 'partition-count-changed')
  assert.match(problem.message, /^topic a has 6 partitions and had 4 when the application started/)
})

test('a topic that was made anew is named; one whose id is unknown is not', () => {
  assert.equal(compareTopics(before, [topic('a', 4, 'some'), topic('b', 2)]), null)
  assert.equal(compareTopics(before, [topic('a', 4), topic('b', 2, 'first')]), null)
  const problem = compareTopics(before, [topic('a', 4), topic('b', 2, 'second')])
  assert.equal(problem?.code, 'topic-recreated')
  assert.match(problem.message, /^topic b was deleted and made anew while the application runs/)
})

test('a topic that is gone is named', () => {
  const problem = compareTopics(before, [topic('a', 4)])
  assert.deepEqual(
    [problem?.code, problem?.message],
    ['topic-missing', 'deleted while the application runs: topic b'],
  )
})

test('a topic that may go is not missed; made anew it is named', async () => {
  let found = [topic('a', 4)]
  const failures: string[] = []
  const nothing = (): void => {}
  const watch = new TopicWatch({
    topics: before,
    mayGo: (name) => name === 'b',
    admin: { describeTopics: async () => found },
    intervalMs: 1_000_000,
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    onFailed: ({ code }) => failures.push(code),
  })
  const look = async (): Promise<string[]> => {
    watch.checkSoon()
    await new Promise(setImmediate)
    return failures
  }
  assert.deepEqual(await look(), [])
  watch.watch(new Map([...before, ['c', { partitions: 1, id: '' }]]))
  found = [topic('a', 4), topic('c', 2)]
  assert.deepEqual(await look(), ['partition-count-changed'])
  found = [topic('a', 4), topic('c', 1), topic('b', 2, 'second')]
  assert.deepEqual(await look(), ['partition-count-changed', 'topic-recreated'])
})

test('a topic that was changed between two looks is noticed when other topics are looked at', () => {
  const failures: string[] = []
  const nothing = (): void => {}
  const watch = new TopicWatch({
    topics: new Map([...before, ['gone', { partitions: 1, id: 'x' }]]),
    admin: { describeTopics: async () => [] },
    intervalMs: 1_000_000,
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    onFailed: ({ code }) => failures.push(code),
  })
  watch.watch(new Map([...before, ['new', { partitions: 3, id: 'y' }]]))
  assert.deepEqual(failures, [])
  watch.watch(new Map([['new', { partitions: 3, id: 'z' }]]))
  assert.deepEqual(failures, ['topic-recreated'])
  watch.watch(new Map([['new', { partitions: 4, id: 'z' }]]))
  assert.deepEqual(failures, ['topic-recreated', 'partition-count-changed'])
})

test('a source topic that gets more partitions is followed, until it cannot be', async () => {
  let found = [topic('a', 4), topic('b', 2, 'first')]
  const refusal: Error | null = null
  const failures: string[] = []
  let followed = 0
  const nothing = (): void => {}
  const watch: TopicWatch = new TopicWatch({
    topics: before,
    mayGrow: (name) => name === 'a',
    async onGrown() {
      if (refusal !== null) throw refusal
      followed++
      watch.watch(new Map(found.map(({ name, partitions, id }) => [name, { partitions, id }])))
    },
    admin: { describeTopics: async () => found },
    intervalMs: 1_000_000,
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    onFailed: ({ code }) => failures.push(code),
  })
  const look = async (): Promise<[followed: number, failures: string[]]> => {
    watch.checkSoon()
    await new Promise(setImmediate)
    return [followed, failures]
  }
  assert.deepEqual(await look(), [0, []])
  found = [topic('a', 6), topic('b', 2, 'first')]
  assert.deepEqual(await look(), [1, []])
  assert.deepEqual(await look(), [1, []])
  found = [topic('a', 5), topic('b', 2, 'first')]
  assert.deepEqual(await look(), [1, ['partition-count-changed']])
})

test('one that gets more partitions than its internal topics have is not', async () => {
  const failures: string[] = []
  const nothing = (): void => {}
  const watch = new TopicWatch({
    topics: before,
    mayGrow: () => true,
    onGrown: () => Promise.reject(new WeirError('changelog-partitions-wrong', 'too few')),
    admin: { describeTopics: async () => [topic('a', 6), topic('b', 2, 'first')] },
    intervalMs: 1_000_000,
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    onFailed: ({ code }) => failures.push(code),
  })
  watch.checkSoon()
  await new Promise(setImmediate)
  assert.deepEqual(failures, ['changelog-partitions-wrong'])
})
