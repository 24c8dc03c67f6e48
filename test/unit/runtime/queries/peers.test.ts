import assert from 'node:assert/strict'
import { test } from 'node:test'

import { applicationServerOf, clientIdWith } from '../../../../src/config/application-server.ts'
import { Peers } from '../../../../src/runtime/queries/peers.ts'

const task = {
  id: '0_1',
  subtopology: 0,
  partition: 1,
  inputs: [
    { topic: 'a', partition: 1 },
    { topic: 'b', partition: 1 },
  ],
}

function member(clientId: string, ...topics: string[]) {
  return {
    ...{ memberId: 'm', instanceId: null, host: '/10.0.0.1', clientId },
    assignment: topics.map((topic) => ({ topic, partition: 1 })),
  }
}

test("a process's server goes with its client id, and comes out of it again", () => {
  for (const server of ['10.0.0.7:8080', 'worker-1.shop.svc:80', '[fd00::7]:8080']) {
    const clientId = clientIdWith('shop-consumer', server)
    assert.equal(clientId, `shop-consumer@${server}`)
    assert.equal(applicationServerOf(clientId), server)
  }
  assert.equal(clientIdWith('shop-consumer', null), 'shop-consumer')
  for (const other of ['shop-consumer', 'me@example', '@', 'x@host:port', 'x@ho/st:80', 'x@a@b:80 '])
    assert.equal(applicationServerOf(other), null, other)
})

test('the owner is who has all inputs; the group is asked again only when what is known is wrong', async () => {
  let members = [member('x@one:1', 'a', 'b')]
  let asked = 0
  let nowMs = 0
  const peers = new Peers({
    describe: async () => {
      asked++
      return { members }
    },
    nowMs: () => nowMs,
  })
  assert.deepEqual(await peers.ownerOf(task, false), { kind: 'server', server: 'one:1' })
  assert.deepEqual(await peers.ownerOf(task, false), { kind: 'server', server: 'one:1' })
  assert.equal(asked, 1)

  members = [member('x@two:2', 'a', 'b')]
  // So short a time after, the group is not asked by everyone who has met the old owner.
  assert.deepEqual(await peers.ownerOf(task, true), { kind: 'server', server: 'one:1' })
  nowMs += 250
  const both = await Promise.all([peers.ownerOf(task, true), peers.ownerOf(task, true)])
  assert.deepEqual(both, [
    { kind: 'server', server: 'two:2' },
    { kind: 'server', server: 'two:2' },
  ])
  assert.equal(asked, 2)

  for (const [given, owner] of [
    [[member('x@one:1', 'a'), member('x@two:2', 'b')], { kind: 'none' }],
    [[member('x@one:1', 'a')], { kind: 'none' }],
    [[member('x@one:1')], { kind: 'none' }],
    [[member('x', 'a', 'b')], { kind: 'unnamed' }],
  ] as const) {
    members = [...given]
    nowMs += 250
    assert.deepEqual(await peers.ownerOf(task, true), owner)
  }
})

test('a server that does not answer is not relied on any more', async () => {
  const members = [member('x@one:1', 'a', 'b')]
  let asked = 0
  let nowMs = 0
  const peers = new Peers({
    describe: async () => {
      asked++
      return { members }
    },
    nowMs: () => (nowMs += 1_000),
  })
  await peers.ownerOf(task, false)
  peers.forget('two:2')
  await peers.ownerOf(task, false)
  assert.equal(asked, 1)
  peers.forget('one:1')
  assert.deepEqual(await peers.ownerOf(task, false), { kind: 'server', server: 'one:1' })
  assert.equal(asked, 2)
})
