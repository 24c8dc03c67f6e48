import { WeirError } from '../errors/weir-error.ts'
import type { DeadLetterRecord } from './dlq-record.ts'

/** What is asked for of a dead-letter topic; everything that is given must hold. */
export interface SelectionOptions {
  /** `partition:offset` or `partition:from-to`, with commas between them. */
  readonly records?: string
  /** By where they came from. */
  readonly source?: string
  /** By `__streams.errors.exception`. */
  readonly exception?: string
}

/** Offsets of one partition, both ends included. */
interface OffsetRange {
  readonly partition: number
  readonly from: number
  readonly to: number
}

export interface Selection {
  /** null: all. */
  readonly ranges: readonly OffsetRange[] | null
  readonly matches: (letter: DeadLetterRecord) => boolean
}

/** @throws WeirError config-invalid for text that is no list of records */
export function parseSelection({ records, source, exception }: SelectionOptions): Selection {
  const ranges = records === undefined ? null : parseRanges(records)
  return {
    ranges,
    matches: (letter) =>
      (ranges === null || ranges.some((range) => holds(range, letter))) &&
      (source === undefined || letter.sourceTopic === source) &&
      (exception === undefined || letter.exception === exception),
  }
}

/** Where reading a partition begins and ends for a selection, within its records; null: nothing of it is asked for. */
export function boundsOf(
  { ranges }: Selection,
  partition: number,
  [earliest, end]: readonly [number, number],
): { readonly from: number; readonly end: number } | null {
  const own = ranges?.filter((range) => range.partition === partition) ?? [
    { partition, from: earliest, to: end - 1 },
  ]
  const from = Math.max(earliest, Math.min(...own.map((range) => range.from)))
  const until = Math.min(end, Math.max(...own.map((range) => range.to)) + 1)
  return from < until ? { from, end: until } : null
}

function holds({ partition, from, to }: OffsetRange, letter: DeadLetterRecord): boolean {
  return letter.partition === partition && letter.offset >= from && letter.offset <= to
}

function parseRanges(text: string): OffsetRange[] {
  return text.split(',').map((part) => {
    const match = /^\s*(\d{1,9}):(\d{1,15})(?:-(\d{1,15}))?\s*$/.exec(part)
    const [from, to] = [Number(match?.[2]), Number(match?.[3] ?? match?.[2])]
    if (match === null || to < from)
      throw new WeirError(
        'config-invalid',
        `--records: ${JSON.stringify(part.trim())}; allowed: partition:offset or partition:from-to, with commas between them`,
      )
    return { partition: Number(match[1]), from, to }
  })
}
