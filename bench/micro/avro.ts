import assert from 'node:assert/strict'

import avsc from 'avsc'
import { Bench } from 'tinybench'

import { RecordBatch } from '../../src/consume/record-batch.ts'
import { SourceRecord } from '../../src/consume/source-record.ts'
import { LocalSchemaRegistry } from '../../src/schema-registry/local-schema-registry.ts'
import { bindSerde } from '../../src/serde/binding.ts'
import { ByteWriter } from '../../src/serde/byte-writer.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { serdes } from '../../src/serde/serdes.ts'
import { LocalSchemas } from '../../src/testing/local-schemas.ts'

const RECORDS = 1_000
const COUNTRIES = ['AT', 'CH', 'DE', 'FR', 'IT']

const fields = [
  { name: 'userId', type: 'string' },
  { name: 'sessionId', type: 'string' },
  { name: 'url', type: 'string' },
  { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'durationMs', type: 'int' },
  { name: 'score', type: 'double' },
  { name: 'isMobile', type: 'boolean' },
  { name: 'country', type: { type: 'enum', name: 'Country', symbols: COUNTRIES } },
  { name: 'referrer', type: ['null', 'string'], default: null },
  { name: 'version', type: 'int' },
] as const
const view = { type: 'record', name: 'PageView', fields } as const
/** What an older producer writes: no `referrer`, and an `isNew` that nobody reads any more; `durationMs` has become a long since. */
const older = {
  ...view,
  fields: [...fields.filter(({ name }) => name !== 'referrer'), { name: 'isNew', type: 'boolean' }],
} as const
const evolved = {
  ...view,
  fields: fields.map((field) => (field.name === 'durationMs' ? { ...field, type: 'long' } : field)),
} as const

function viewOf(index: number): object {
  return {
    userId: `user-${String(index * 7919).padStart(10, '0')}`,
    sessionId: `session-${index % 97}-${index}`,
    url: `/products/${index % 500}/details`,
    at: 1_700_000_000_000 + index * 1_000,
    durationMs: (index * 37) % 60_000,
    score: index / 7,
    isMobile: index % 3 === 0,
    country: COUNTRIES[index % COUNTRIES.length],
    referrer: index % 4 === 0 ? null : 'https://example.org/search',
    version: index % 5,
    isNew: index % 2 === 0,
  }
}

/** What the consumer makes of a thousand records: their values, one after the other in an arena. */
function batchOf(serde: Serde<unknown>): RecordBatch {
  const writer = new ByteWriter(1 << 20)
  const batch = new RecordBatch(RECORDS, 0)
  for (let index = 0; index < RECORDS; index++) {
    batch.valueStart[index] = writer.position
    serde.serialize(viewOf(index), writer)
    batch.valueLength[index] = writer.position - batch.valueStart[index]!
  }
  batch.arena = writer.buffer
  batch.count = RECORDS
  return batch
}

/** What is timed is the right thing. */
function check(batch: RecordBatch, serde: Serde<unknown>, other: object): void {
  for (let index = 0; index < RECORDS; index++) {
    const { isNew: _, ...expected } = viewOf(index) as { isNew: boolean }
    assert.deepEqual(new SourceRecord(batch, index, null, 0, serde).value, { ...expected, ...other })
  }
}

const SAME = 'decoded with the schema that they were written with'
const RESOLVED = 'decoded with another schema: a field is new, one gone, one an int that is a long'

/** 1,000 records a sample: ns are those of a thousand. */
export default async function avroBench(): Promise<Bench> {
  const bench = new Bench({ name: 'avro', time: 1_000 })
  const schemas = new LocalSchemas(new LocalSchemaRegistry())
  const bound = (schema: object) =>
    bindSerde(
      serdes.avro<unknown>(schema as never),
      { topic: 'views', part: 'value', use: 'sink', isInternal: false },
      schemas,
    )
  let kept: unknown
  const decodeAll = (batch: RecordBatch, serde: Serde<unknown>) => () => {
    for (let index = 0; index < RECORDS; index++) kept = new SourceRecord(batch, index, null, 0, serde).value
  }
  const same = bound(view)
  const reader = bound(evolved)
  const ofSame = batchOf(same)
  const ofOlder = batchOf(bound(older))
  check(ofSame, same, {})
  check(ofOlder, reader, { referrer: null })
  bench.add(SAME, decodeAll(ofSame, same))
  bench.add(RESOLVED, decodeAll(ofOlder, reader))
  const type = avsc.Type.forSchema(view as never)
  bench.add('the same by avsc alone, from a buffer of each', () => {
    for (let index = 0; index < RECORDS; index++) {
      const start = ofSame.valueStart[index]! + 5
      kept = type.fromBuffer(
        ofSame.arena.subarray(start, ofSame.valueStart[index]! + ofSame.valueLength[index]!),
      )
    }
  })
  const writer = new ByteWriter(1 << 20)
  const views = Array.from({ length: RECORDS }, (_, index) => viewOf(index))
  bench.add('encoded', () => {
    writer.reset()
    for (const one of views) same.serialize(one, writer)
  })
  bench.addEventListener('complete', () => void kept)
  return bench
}

export function findings(medianNs: (task: string) => number): string[] {
  const microseconds = (task: string): string => (medianNs(task) / RECORDS / 1_000).toFixed(2)
  return [
    `a record of 10 fields is decoded in ${microseconds(SAME)} us, with another schema in ${microseconds(RESOLVED)} us`,
  ]
}
