import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { errorCodes } from '../../../src/errors/codes.ts'
import { decisionFor } from '../../../src/errors/decision.ts'
import { messageOf, WeirError } from '../../../src/errors/weir-error.ts'
import { deserializeError, serializeError } from '../../../src/runtime/channel.ts'

function native(code: string, message = 'x', flags: { retriable?: boolean; fatal?: boolean } = {}): Error {
  return Object.assign(new Error(message), { code, retriable: false, fatal: false, ...flags })
}

describe('decisionFor', () => {
  const cases: readonly (readonly [string, unknown, string, string])[] = [
    ['its own code', new WeirError('source-topic-missing', 'x'), 'source-topic-missing', 'stop'],
    ['a broker that is away', native('kafka:_TRANSPORT'), 'broker-unreachable', 'retry'],
    ['a broker that went while it was asked', native('kafka:_DESTROY_BROKER'), 'broker-unreachable', 'retry'],
    [
      'a retriable error without a row',
      native('kafka:SOMETHING_NEW', 'x', { retriable: true }),
      'broker-unreachable',
      'retry',
    ],
    ['an error without a row', native('kafka:SOMETHING_NEW'), 'kafka-failed', 'stop'],
    ['a fatal client', native('kafka:_TIMED_OUT', 'x', { fatal: true }), 'broker-unreachable', 'stop'],
    ['an old generation', native('kafka:ILLEGAL_GENERATION'), 'fenced', 'give-up-task'],
    [
      'a duplicate static member',
      native('kafka:FENCED_INSTANCE_ID', 'x', { fatal: true }),
      'instance-fenced',
      'stop',
    ],
    ['members of another kind', native('kafka:INCONSISTENT_GROUP_PROTOCOL'), 'group-in-use', 'retry'],
    ['an ACL', native('kafka:GROUP_AUTHORIZATION_FAILED'), 'authorization-failed', 'stop'],
    ['a truncated changelog', native('kafka:_AUTO_OFFSET_RESET'), 'offset-out-of-range', 'reset-state'],
    ['an undelivered record', native('kafka:_MSG_TIMED_OUT'), 'production-failed', 'stop'],
    ['a damaged database', native('rocksdb:Corruption'), 'state-corrupt', 'reset-state'],
    ['a full disk by code', native('rocksdb:NoSpace'), 'disk-full', 'stop'],
    [
      'a full disk by text',
      native('rocksdb:IOError', 'IO error: No space left on device: x.sst'),
      'disk-full',
      'stop',
    ],
    [
      'a read-only disk',
      native('rocksdb:IOError', 'IO error: Read-only file system: x'),
      'state-dir-read-only',
      'stop',
    ],
    [
      'a locked database',
      native('rocksdb:IOError', 'IO error: lock hold by current process: /s/LOCK'),
      'state-dir-locked',
      'stop',
    ],
    ['a database that is open elsewhere', native('rocksdb:Busy'), 'state-dir-locked', 'stop'],
    [
      'another io error',
      native('rocksdb:IOError', 'IO error: Input/output error: blocks/9.sst'),
      'state-failed',
      'stop',
    ],
    ["one of Node's", Object.assign(new Error('ENOSPC: x'), { code: 'ENOSPC' }), 'disk-full', 'stop'],
    ['no error at all', undefined, 'internal', 'stop'],
    ['a prototype name as code', { code: 'toString' }, 'internal', 'stop'],
  ]
  for (const [what, error, code, next] of cases) {
    test(what, () => {
      const decision = decisionFor(error)
      assert.deepEqual([decision.code, decision.next], [code, next])
    })
  }

  test('only what an operator gave wrongly ends with exit code 2', () => {
    const two = Object.keys(errorCodes).filter((code) => decisionFor({ code }).exitCode === 2)
    assert.deepEqual(two, ['config-invalid', 'module-not-loaded', 'topology-invalid'])
  })

  test('survives the way to another thread', () => {
    const error = deserializeError(
      structuredClone(serializeError(new WeirError('fenced', 'task 0_1 is gone'))),
    )
    assert.equal(decisionFor(error).next, 'give-up-task')
    assert.equal(error.name, 'WeirError')
  })
})

test('a message is one line', () => {
  const error = new WeirError('processing-failed', 'topic a\n  partition 0\r\nboom\n')
  assert.equal(error.message, 'topic a partition 0 boom')
  assert.equal(messageOf(new Error('a\nb')), 'a b')
  assert.equal(messageOf('thrown text'), 'thrown text')
})
