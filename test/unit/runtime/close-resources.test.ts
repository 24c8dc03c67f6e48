import assert from 'node:assert/strict'
import { test } from 'node:test'

import { WeirError } from '../../../src/errors/weir-error.ts'
import { closeResources } from '../../../src/runtime/close-resources.ts'

test('everything is closed, the last opened first, and the first failure is told', async () => {
  const resources = new AsyncDisposableStack()
  const closed: string[] = []
  const open = (name: string, failure?: Error) =>
    resources.defer(async () => {
      closed.push(name)
      if (failure !== undefined) throw failure
    })
  open('folder')
  open('admin', new Error('later'))
  open('group', new WeirError('fenced', 'first'))
  open('threads')
  const failure = await closeResources(resources)
  assert.deepEqual(closed, ['threads', 'group', 'admin', 'folder'])
  assert.equal(failure?.code, 'fenced')
  assert.equal(failure?.message, 'first')
})

test('without a failure there is none to tell', async () => {
  assert.equal(await closeResources(new AsyncDisposableStack()), null)
})
