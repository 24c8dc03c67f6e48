import type { Store } from '../../state/store.ts'
import type { Cancellable, ProcessorContext, PunctuationType, Punctuator } from '../processor.ts'
import type { RecordMetadata, StreamRecord } from '../record.ts'

/** A context that hands on to another one; subclasses take something away. */
export abstract class DelegatingContext<KOut, VOut> implements ProcessorContext<KOut, VOut> {
  protected readonly context: ProcessorContext<KOut, VOut>

  constructor(context: ProcessorContext<KOut, VOut>) {
    this.context = context
  }

  abstract forward(record: StreamRecord<KOut, VOut>, child?: string): void

  get applicationId(): string {
    return this.context.applicationId
  }

  get taskId(): string {
    return this.context.taskId
  }

  get partition(): number {
    return this.context.partition
  }

  stateStore<S extends Store = Store>(name: string): S {
    return this.context.stateStore<S>(name)
  }

  schedule(
    options: { readonly intervalMs: number; readonly type: PunctuationType },
    punctuator: Punctuator,
  ): Cancellable {
    return this.context.schedule(options, punctuator)
  }

  recordMetadata(): RecordMetadata | null {
    return this.context.recordMetadata()
  }

  currentStreamTimeMs(): number {
    return this.context.currentStreamTimeMs()
  }

  currentSystemTimeMs(): number {
    return this.context.currentSystemTimeMs()
  }

  commit(): void {
    this.context.commit()
  }
}
