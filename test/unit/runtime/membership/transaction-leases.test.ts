import assert from 'node:assert/strict'
import { test } from 'node:test'

import { WeirError } from '../../../../src/errors/weir-error.ts'
import type { GroupMember, TopicPartitionOffset } from '../../../../src/native.ts'
import { TaskLeases } from '../../../../src/runtime/membership/task-leases.ts'
import { TransactionLeases } from '../../../../src/runtime/membership/transaction-leases.ts'

const member: GroupMember = { groupId: 'g', memberId: 'm', generation: 3, groupInstanceId: null }
const offset: TopicPartitionOffset = { topic: 'in', partition: 0, offset: 7 }

function setUp() {
  const leases = new TaskLeases()
  let refusal: WeirError | null = null
  const transactions = new TransactionLeases(leases, {
    prepareTransaction: (offsets) => {
      if (refusal !== null) throw refusal
      return { member, offsets }
    },
  })
  /** Whether a rebalance that takes the task away could be answered now. */
  const isSettled = async (task: string): Promise<boolean> => {
    let settled = false
    void leases.settled([task]).then(() => {
      settled = true
    })
    await new Promise(setImmediate)
    return settled
  }
  return { leases, transactions, isSettled, refuse: (error: WeirError | null) => (refusal = error) }
}

test('a rebalance waits for the end of a transaction that has begun to commit, and a later one is refused', async () => {
  const { leases, transactions, isSettled } = setUp()
  const epoch = { id: '0_0', epoch: leases.grant('0_0') }
  const { lease, member: who, offsets } = transactions.begin({ index: 0 }, [epoch], [offset])
  assert.deepEqual([who, offsets], [member, [offset]])
  leases.fence(['0_0'])
  assert.equal(await isSettled('0_0'), false)
  assert.throws(() => transactions.begin({ index: 0 }, [epoch], [offset]), { code: 'fenced' })
  assert.deepEqual(transactions.end(lease), [offset])
  assert.equal(await isSettled('0_0'), true)
  // Once.
  assert.deepEqual(transactions.end(lease), [])
})

test('a refused member leaves no lease behind', async () => {
  const { leases, transactions, isSettled, refuse } = setUp()
  const epoch = { id: '0_0', epoch: leases.grant('0_0') }
  refuse(new WeirError('fenced', 'no member'))
  assert.throws(() => transactions.begin({ index: 0 }, [epoch], [offset]), { message: 'no member' })
  leases.fence(['0_0'])
  assert.equal(await isSettled('0_0'), true)
})

test("a thread's end gives its leases back, and nobody else's", async () => {
  const { leases, transactions, isSettled } = setUp()
  const [one, two] = [{ index: 0 }, { index: 1 }]
  transactions.begin(one, [{ id: '0_0', epoch: leases.grant('0_0') }], [])
  transactions.begin(two, [{ id: '0_1', epoch: leases.grant('0_1') }], [])
  leases.fence(['0_0', '0_1'])
  transactions.ended(one)
  assert.equal(await isSettled('0_0'), true)
  assert.equal(await isSettled('0_1'), false)
  transactions.ended(two)
  assert.equal(await isSettled('0_1'), true)
})
