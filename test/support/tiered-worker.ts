import { sumOf } from './count-application.ts'
import type { WeirProcess } from './weir-process.ts'

/** Waits until all rows of tiered stores that a worker has committed are in Cassandra. */
export async function untilWritten(worker: WeirProcess): Promise<void> {
  await worker.until(
    async () => (await sumOf(worker, 'weir_tiered_backlog_rows')) === 0,
    'does not write all rows',
  )
}
