import type { Store } from '../../state/store.ts'
import { DelegatingContext } from '../operators/delegating-context.ts'
import type { Cancellable, ProcessorContext, PunctuationType, Punctuator } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { gatedStore } from './gated-store.ts'
import type { TurnGate } from './turn-gate.ts'

/** The context of an async processor: what it gives can be kept, and is refused outside of turns. */
export class GatedContext<KOut, VOut> extends DelegatingContext<KOut, VOut> {
  readonly #gate: TurnGate
  readonly #stores = new Map<string, Store>()

  constructor(context: ProcessorContext<KOut, VOut>, gate: TurnGate) {
    super(context)
    this.#gate = gate
  }

  override forward(record: StreamRecord<KOut, VOut>, child?: string): void {
    this.#gate.checkChange('forward')
    this.context.forward(record, child)
  }

  override stateStore<S extends Store = Store>(name: string): S {
    let store = this.#stores.get(name)
    if (store === undefined) {
      store = gatedStore(this.context.stateStore(name), this.#gate)
      this.#stores.set(name, store)
    }
    return store as S
  }

  override schedule(
    options: { readonly intervalMs: number; readonly type: PunctuationType },
    punctuator: Punctuator,
  ): Cancellable {
    const gate = this.#gate
    gate.checkChange('schedule')
    return this.context.schedule(options, (timestamp) => gate.within('turn', () => punctuator(timestamp)))
  }
}
