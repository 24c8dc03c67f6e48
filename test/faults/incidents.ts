import type { FaultKind } from './plan.ts'

/** What befell whom, and when. */
export interface Incident {
  readonly kind: FaultKind
  /** null: a broker, and with it everybody. */
  readonly worker: number | null
  /** Of the worker. */
  readonly life: string | null
  /** Ms since 1970. */
  readonly fromMs: number
  toMs: number
}
