/**
 * Window and session stores against Kafka Streams' own: the same commands have the same answers and the same changelog. The fixtures were
 * written by test/oracle/windows.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'

import { TaskDatabase } from '../../../src/native.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { SessionStore, StoreIterator, Windowed, WindowStore } from '../../../src/state/store.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'
import { StoreLaboratory, type TaskStore } from '../../support/task-store.ts'
import { scanRows } from '../native/rows.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

const common = { name: 'store', key: serdes.string, value: serdes.string, retentionMs: 120_000 }
const windows = { ...common, windowSizeMs: 10_000 }

/** A line of a fixture. */
interface Command {
  readonly timestamp: number
  readonly words: readonly string[]
  readonly answer: string
  /** Key and value in hexadecimal; null when the command changes nothing. */
  readonly logged: { readonly key: string; readonly value: string | null; readonly timestamp: number } | null
}

function readFixture(name: string): Command[] {
  const text = readFileSync(path.join(import.meta.dirname, 'fixtures', `${name}.txt`), 'utf8')
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const [timestamp, command, answer, record] = line.split('\t')
      const [key, value, recordTimestamp] = record!.split(' ')
      return {
        timestamp: Number(timestamp),
        words: command!.split(' '),
        answer: answer!,
        logged:
          record === ''
            ? null
            : { key: key!, value: value === 'null' ? null : value!, timestamp: Number(recordTimestamp) },
      }
    })
}

const orNull = (word: string): string | null => (word === '-' ? null : word)

function rowsText<V>(rows: StoreIterator<number | Windowed<string>, V>, shown: (value: V) => string): string {
  return [...rows]
    .map(({ key, value }) => {
      const at = typeof key === 'number' ? key : `${key.key}@${key.window.start}-${key.window.end}`
      return `${at}=${shown(value)}`
    })
    .join(';')
}

/** @param made the store's value of a command's word; @param shown as the fixture shows it */
function answerOfWindows<V>(
  store: WindowStore<string, V>,
  words: readonly string[],
  made: (word: string) => V,
  shown: (value: V) => string,
): string {
  const [name, first = '', second = '', third = '', fourth = ''] = words
  switch (name) {
    case 'put':
      store.put(first, third === '-' ? null : made(third), Number(second))
      return ''
    case 'fetch': {
      const value = store.fetch(first, Number(second))
      return value === null ? 'null' : shown(value)
    }
    case 'fetchKey':
      return rowsText(store.fetch(first, Number(second), Number(third)), shown)
    case 'backwardFetchKey':
      return rowsText(store.backwardFetch(first, Number(second), Number(third)), shown)
    case 'fetchKeys':
      return rowsText(store.fetch(orNull(first), orNull(second), Number(third), Number(fourth)), shown)
    case 'backwardFetchKeys':
      return rowsText(
        store.backwardFetch(orNull(first), orNull(second), Number(third), Number(fourth)),
        shown,
      )
    case 'fetchAll':
      return rowsText(store.fetchAll(Number(first), Number(second)), shown)
    case 'backwardFetchAll':
      return rowsText(store.backwardFetchAll(Number(first), Number(second)), shown)
    case 'all':
      return rowsText(store.all(), shown)
    case 'backwardAll':
      return rowsText(store.backwardAll(), shown)
    default:
      throw new Error(`unknown command ${name}`)
  }
}

function answerOfSessions(store: SessionStore<string, string>, words: readonly string[]): string {
  const [name, first = '', second = '', third = '', fourth = ''] = words
  const session = { key: first, window: { start: Number(second), end: Number(third) } }
  const shown = (value: string): string => value
  switch (name) {
    case 'put':
      store.put(session, fourth)
      return ''
    case 'remove':
      store.remove(session)
      return ''
    case 'fetchSession':
      return String(store.fetchSession(first, Number(second), Number(third)))
    case 'find':
      return rowsText(store.findSessions(first, Number(second), Number(third)), shown)
    case 'backwardFind':
      return rowsText(store.backwardFindSessions(first, Number(second), Number(third)), shown)
    case 'findRange':
      return rowsText(store.findSessions(orNull(first), orNull(second), Number(third), Number(fourth)), shown)
    case 'backwardFindRange':
      return rowsText(
        store.backwardFindSessions(orNull(first), orNull(second), Number(third), Number(fourth)),
        shown,
      )
    case 'fetch':
      return rowsText(store.fetch(first), shown)
    case 'backwardFetch':
      return rowsText(store.backwardFetch(first), shown)
    case 'fetchRange':
      return rowsText(store.fetch(orNull(first), orNull(second)), shown)
    case 'backwardFetchRange':
      return rowsText(store.backwardFetch(orNull(first), orNull(second)), shown)
    default:
      throw new Error(`unknown command ${name}`)
  }
}

function answer(type: StoreDefinition['type'], tested: TaskStore, command: Command): string {
  if (type === 'session') return answerOfSessions(tested.store(), command.words)
  if (type === 'window') return answerOfWindows<string>(tested.store(), command.words, String, String)
  return answerOfWindows<{ value: string; timestamp: number }>(
    tested.store(),
    command.words,
    (value) => ({ value, timestamp: command.timestamp - 5 }),
    (row) => `${row.value}#${row.timestamp}`,
  )
}

/** The changelog as it stands after compaction: read by restoring it into a store whose rows are key, timestamp and value of each record. */
async function compacted(topic: string): Promise<Map<string, string>> {
  const database = await TaskDatabase.open(laboratory.memory, {
    path: path.join(laboratory.folder, `${topic}-changelog`),
    partition: 0,
    stores: [{ name: 'changelog', timestamped: true, changelogTopic: topic }],
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
  })
  await laboratory.restorer.restore(database, [{ store: 0, topic, partition: 0, topicId: '', from: -1 }]).done
  const hexadecimal = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('hex')
  const found = new Map(
    scanRows(database, 0, null, null, false, 4096, 1 << 20).map(([key, value]) => [
      hexadecimal(key),
      hexadecimal(value),
    ]),
  )
  await database.close()
  return found
}

const definitions: Record<string, StoreDefinition> = {
  window: stores.window(windows),
  'window-duplicates': stores.window({ ...windows, retainDuplicates: true }),
  'timestamped-window': stores.timestampedWindow(windows),
  session: stores.session(common),
}

const cases = Object.entries(definitions).flatMap(([name, definition]) => [
  { name, where: 'on disk', definition },
  { name, where: 'in memory', definition: { ...definition, inMemory: true } },
])
for (const { name, where, definition } of cases) {
  test(`${name} ${where}: answers and changelog are Kafka Streams'`, async () => {
    const tested = await laboratory.open(definition, 500)
    const expected = new Map<string, string>()
    const commands = readFixture(name)
    for (const [index, command] of commands.entries()) {
      tested.recordTimestamp = command.timestamp
      const expired = tested.expired
      assert.equal(
        answer(definition.type, tested, command),
        command.answer,
        `line ${index + 1}: ${command.words.join(' ')}`,
      )
      // Kafka Streams logs what it drops, too.
      if (command.logged !== null && tested.expired === expired) {
        const { key, value, timestamp } = command.logged
        if (value === null) expected.delete(key)
        else expected.set(key, timestamp.toString(16).padStart(16, '0') + value)
      }
      tested.trim()
      // Often enough that nothing expires unlogged.
      if (index % 3 === 0 || command.logged !== null) await tested.commit()
    }
    assert.ok(tested.expired > 5)
    assert.deepEqual(await compacted(tested.topic), expected)
    await tested.close()
  })
}
