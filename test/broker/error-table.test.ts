/**
 * Every answer of the handlers, under each guarantee, for each kind of error: a table. Of each cell the sums are taken by a client of another make: what
 * came in is in the results, in the dead-letter topic, dropped by choice or not committed, and in no two of them.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { lagOf, produceAll, readToEnd } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import {
  assertDeadLetter,
  assertRefused,
  CAUSES,
  createRun,
  event,
  FAULTY_MODULE,
  faultyEnvironment,
  numberOf,
  numbersOf,
  processAll,
} from '../support/faulty-load.ts'
import { runWeir } from '../support/weir-process.ts'

const RECORDS = 20
const FAULTY = [10, 15] as const
const [FIRST_FAULTY] = FAULTY
const numbers = Array.from({ length: RECORDS }, (_, number) => number)
const good = numbers.filter((number) => !(FAULTY as readonly number[]).includes(number))

const guarantees = ['at_least_once', 'exactly_once_v2'] as const
/** What is wrong with a record, and which handler is asked. The others say `fail` all the time. */
const faults = [
  ['torn-value', 'deserialization'],
  ['torn-key', 'deserialization'],
  ['throw', 'processing'],
  ['unwritable', 'production'],
  ['large', 'production'],
  ['refused', 'production'],
] as const

describe('handlers by guarantee and kind of error', { concurrency: 3 }, () => {
  let kafka: KafkaService
  let applications = 0
  const scratch = makeScratchDir('error-table')
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  const once = (all: readonly number[]): number[] => [...new Set(all)]

  for (const guarantee of guarantees) {
    for (const [fault, kind] of faults) {
      for (const hasLetters of [false, true]) {
        const letters = hasLetters ? ' with dead letters' : ''
        test(`${guarantee}, ${kind} (${fault}): fail${letters}, then continue${letters}`, async (t) => {
          const { bootstrapServers } = kafka
          const run = await createRun(bootstrapServers, `table-${++applications}`)
          const sources = numbers.map((number) => ({
            ...event(run.events, number, good.includes(number) ? undefined : fault),
            partition: 0,
          }))
          await produceAll(bootstrapServers, sources)
          const env = {
            ...faultyEnvironment(run, guarantee),
            ...(hasLetters && { WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: run.letters }),
          }
          const isTransaction = guarantee === 'exactly_once_v2'
          const isRefused = fault === 'refused'
          // Where nobody is asked, the producer finds it: behind the turn in which its record was processed.
          const isLate = isRefused || (fault === 'large' && !hasLetters)

          async function fails(more: Record<string, string> = {}): Promise<void> {
            const { code, stderr, stdout } = await runWeir(['run', FAULTY_MODULE], {
              ...env,
              WEIR_APPLICATION_ID: run.id,
              WEIR_BOOTSTRAP_SERVERS: bootstrapServers,
              WEIR_STATE_DIR: scratch,
              WEIR_HTTP_PORT: '-1',
              WEIR_COMMIT_INTERVAL_MS: '5000',
              ...more,
            })
            const lines = stderr.split('\n').filter((line) => line.startsWith('weir: '))
            assert.equal(code, 1, stdout + stderr)
            assert.equal(lines.length, 1, stderr)
            assert.match(lines[0]!, CAUSES[fault]!)
          }

          await fails()
          // At-least-once commits what came before a record that failed in its turn; a transaction is aborted, its dead letter with it.
          const { committed, remaining } = await lagOf(bootstrapServers, run.id, [run.events])
          const told = await numbersOf(bootstrapServers, run.results)
          assert.equal(committed, isTransaction || isLate ? 0 : FIRST_FAULTY)
          assert.equal(committed + remaining, RECORDS)
          // Others of the turn may have been delivered: after the restart they come again.
          if (!isLate || isTransaction) assert.deepEqual(told, numbers.slice(0, committed))
          const failed = await readToEnd(bootstrapServers, run.letters)
          assert.equal(failed.length, hasLetters && !isTransaction ? 1 : 0)
          if (failed.length > 0 && !isRefused)
            assertDeadLetter(failed[0]!, sources[FIRST_FAULTY]!, 0, CAUSES[fault]!)

          const continues = { [`WEIR_${kind.toUpperCase()}_EXCEPTION_HANDLER`]: 'continue' }
          if (isTransaction && isRefused) {
            // Nobody is asked: nothing of the transaction is there, and nothing is dropped.
            await fails(continues)
            assert.deepEqual(await numbersOf(bootstrapServers, run.results), [])
            assert.deepEqual(await numbersOf(bootstrapServers, run.letters), [])
            assert.equal((await lagOf(bootstrapServers, run.id, [run.events])).remaining, RECORDS)
            return
          }
          const sum = await processAll(run, bootstrapServers, scratch, { ...env, ...continues })
          const results = await numbersOf(bootstrapServers, run.results)
          assert.deepEqual(isLate && !isTransaction ? once(results) : results, good)
          const dead = await readToEnd(bootstrapServers, run.letters)
          const deadNumbers = dead.map(numberOf).sort((a, b) => a - b)
          assert.equal(dead.length, failed.length + (hasLetters ? FAULTY.length : 0))
          assert.deepEqual(once(deadNumbers), hasLetters ? [...FAULTY] : [])
          for (const letter of dead) {
            if (isRefused) assertRefused(letter, run.results, numberOf(letter))
            else assertDeadLetter(letter, sources[numberOf(letter)]!, 0, CAUSES[fault]!)
          }
          const dropped = sum('weir_process_records_dropped_total')
          assert.equal(dropped, FAULTY.length)
          const ofKind = ['0', '1'].map((thread) =>
            sum(`weir_errors_handled_total{thread="${thread}",kind="${kind}"}`),
          )
          assert.equal(ofKind[0]! + ofKind[1]!, FAULTY.length)
          assert.equal(sum('weir_errors_handled_total'), FAULTY.length)
          assert.equal(sum('weir_errors_dead_letters_total'), hasLetters ? FAULTY.length : 0)
          const sums = [once(results).length, once(deadNumbers).length, hasLetters ? 0 : dropped]
          t.diagnostic(
            `${RECORDS} in = ${sums[0]} out + ${sums[1]} dead letters + ${sums[2]} dropped by choice`,
          )
          assert.equal(sums[0]! + sums[1]! + sums[2]!, RECORDS)
          assert.equal((await lagOf(bootstrapServers, run.id, [run.events])).remaining, 0)
        })
      }
    }
  }
})
