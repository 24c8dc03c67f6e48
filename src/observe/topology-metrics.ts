import type { ThreadMetricName } from './metric-catalogue.ts'
import type { MetricSet } from './metric-set.ts'
import type { ThreadCounters } from './thread-counters.ts'

/** Puts what was counted at the topology's nodes and stores into a thread's metrics. What has not happened has no series. */
export function setTopologyCounts(set: MetricSet<ThreadMetricName>, counters: ThreadCounters): void {
  for (const [node, { records, seconds, endToEnd, promises }] of counters.nodes) {
    set.total('weir_process_node_records_total', { node }, records)
    if (seconds.count > 0) set.show('weir_process_node_seconds', { node }, seconds)
    if (endToEnd.count > 0) set.show('weir_process_end_to_end_seconds', { node }, endToEnd)
    if (promises.count > 0) set.show('weir_process_promise_seconds', { node }, promises)
  }
  for (const [store, operations] of counters.stores) {
    for (const [operation, { calls, seconds }] of operations.operations()) {
      if (calls === 0) continue
      set.total('weir_state_operations_total', { store, operation }, calls)
      set.show('weir_state_operation_seconds', { store, operation }, seconds)
    }
  }
}
