import type { z } from 'zod'

import { zod } from './zod.ts'

/** How the text of a variable becomes a value. */
export interface ValueType<T> {
  readonly schema: z.ZodType<T, string>
  /** What is allowed, for error lines and the documentation: `an integer from 1 to 64`. */
  readonly allowed: string
}

const byteUnits: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

export function text(
  options: { readonly allowed?: string; readonly pattern?: RegExp } = {},
): ValueType<string> {
  return {
    get schema() {
      return zod()
        .string()
        .regex(options.pattern ?? /^[^\r\n]+$/)
    },
    allowed: options.allowed ?? 'text on one line',
  }
}

export function integer(options: { readonly min: number; readonly max: number }): ValueType<number> {
  const { min, max } = options
  return {
    get schema() {
      return zod()
        .string()
        .regex(/^-?\d{1,15}$/)
        .transform(Number)
        .pipe(zod().number().int().min(min).max(max))
    },
    allowed: `an integer from ${min} to ${max}`,
  }
}

/** A count of bytes: plain, or with KiB, MiB or GiB behind it. */
export function bytes(options: { readonly min: number }): ValueType<number> {
  return {
    get schema() {
      return zod()
        .string()
        .regex(/^\d{1,15} ?(B|KiB|MiB|GiB)?$/)
        .transform((value) => {
          const [, count, unit = ''] = /^(\d+) ?(\w*)$/.exec(value) ?? []
          return Number(count) * (byteUnits[unit] ?? Number.NaN)
        })
        .pipe(
          zod()
            .number()
            .int()
            .min(options.min)
            .max(2 ** 50),
        )
    },
    allowed: `bytes, at least ${formatBytes(options.min)} (plain, or as in 64KiB, 512MiB, 2GiB)`,
  }
}

/** One of some words; upper and lower case are the same. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  return {
    get schema() {
      return zod()
        .string()
        .transform((value) => words.find((word) => word.toLowerCase() === value.toLowerCase()) ?? value)
        .pipe(zod().enum(words as readonly [W, ...W[]])) as unknown as z.ZodType<W, string>
    },
    allowed: words.length === 2 ? `${words[0]} or ${words[1]}` : `one of ${words.join(', ')}`,
  }
}

/** 1.5 GiB, 64 MiB, 100 B: for people. */
export function formatBytes(count: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (count >= size) return `${Number((count / size).toFixed(1))} ${unit}`
  }
  return `${count} B`
}
