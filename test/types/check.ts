/** What the type tests share. They are checked by tsc alone; nothing in this folder runs. */
import { serdes } from '../../src/index.ts'

export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
export declare function check<_T extends true>(): void

export interface View {
  readonly page: string
  readonly durationMs: number
}

export const views = { key: serdes.string, value: serdes.json<View>() }
