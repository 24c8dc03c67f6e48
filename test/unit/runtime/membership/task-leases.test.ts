import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { type Lease, TaskLeases } from '../../../../src/runtime/membership/task-leases.ts'

const ids = ['0_0', '0_1', '1_0'] as const

type Step =
  | { readonly do: 'grant'; readonly task: string }
  | { readonly do: 'begin'; readonly tasks: readonly string[]; readonly age: number }
  | { readonly do: 'end'; readonly which: number }
  | { readonly do: 'fence'; readonly tasks: readonly string[] }

const task = fc.constantFrom(...ids)
const someTasks = fc.uniqueArray(task, { minLength: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('grant' as const), task }),
  fc.record({ do: fc.constant('begin' as const), tasks: someTasks, age: fc.nat(2) }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant('fence' as const), tasks: someTasks }),
)

describe('TaskLeases', () => {
  test('a lease begins exactly when all its epochs are the newest and not fenced; settled waits for exactly the open ones', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const leases = new TaskLeases()
        // The model: all epochs a task ever had, whether its newest is valid, and what is open.
        const epochs = new Map<string, number[]>(ids.map((id) => [id, []]))
        const granted = new Set<string>()
        const open: { lease: Lease; tasks: readonly string[]; valid: boolean }[] = []
        for (const one of steps) {
          if (one.do === 'grant') {
            const epoch = leases.grant(one.task)
            assert.ok([...epochs.values()].flat().every((earlier) => earlier < epoch))
            epochs.get(one.task)!.push(epoch)
            granted.add(one.task)
          } else if (one.do === 'begin') {
            // `age` 0 names each task's newest epoch, 1 the one before, and so on.
            const tasks = one.tasks.map((id) => ({ id, epoch: epochs.get(id)!.at(-1 - one.age) ?? -1 }))
            const allowed =
              one.tasks.every((id) => granted.has(id)) &&
              tasks.every(({ id, epoch }) => epochs.get(id)!.at(-1) === epoch)
            if (allowed) open.push({ lease: leases.begin(tasks), tasks: one.tasks, valid: true })
            else assert.throws(() => leases.begin(tasks), { code: 'fenced' })
          } else if (one.do === 'end') {
            const [ended] = open.splice(one.which, 1)
            ended?.lease.end()
          } else {
            leases.fence(one.tasks)
            for (const id of one.tasks) granted.delete(id)
            for (const entry of open)
              if (entry.tasks.some((id) => one.tasks.includes(id))) entry.valid = false
            const concerned = open.filter(({ tasks }) => tasks.some((id) => one.tasks.includes(id)))
            let settled = false
            const done = leases.settled(one.tasks).then(() => {
              settled = true
            })
            for (const entry of concerned) {
              await new Promise(setImmediate)
              assert.equal(settled, false)
              entry.lease.end()
              open.splice(open.indexOf(entry), 1)
            }
            await done
          }
          for (const { lease, valid } of open) assert.equal(lease.valid, valid)
        }
      }),
    )
  })

  test('a refusal says why', () => {
    const leases = new TaskLeases()
    const old = leases.grant('0_0')
    leases.grant('0_0')
    assert.throws(
      () => leases.begin([{ id: '0_0', epoch: old }]),
      /task 0_0 cannot commit under epoch 1: epoch 2 has begun/,
    )
    leases.fence(['0_0'])
    assert.throws(() => leases.begin([{ id: '0_0', epoch: 2 }]), /not assigned to this process/)
  })
})
