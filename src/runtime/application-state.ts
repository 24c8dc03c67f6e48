/**
 *   created ──> rebalancing <──> running
 *      │             │              │
 *      ├─────────────┴──────────────┤
 *   asked for                    an error
 *      v                            v
 *   stopping ──> stopped         failing ──> failed
 *      └────────────────────────────────────────^
 *
 * - `created`: topics are looked up, threads start.
 * - `rebalancing`: partitions are being handed out, a task restores its state, or a thread is being replaced.
 * - `running`: every task of this process runs; also when it has none, and while it is paused.
 * - `stopping`: tasks commit and close, the group is left, as asked.
 * - `failing`: the same, because of an error.
 * - `stopped`: as asked. `failed`: because of an error, or the stop did not succeed.
 *
 * Kafka Streams' KafkaStreams.State: CREATED, REBALANCING, RUNNING, PENDING_SHUTDOWN, PENDING_ERROR, NOT_RUNNING, ERROR.
 */
export type ApplicationState =
  | 'created'
  | 'rebalancing'
  | 'running'
  | 'stopping'
  | 'failing'
  | 'stopped'
  | 'failed'

const transitions: Readonly<Record<ApplicationState, readonly ApplicationState[]>> = {
  created: ['rebalancing', 'stopping', 'failing'],
  rebalancing: ['running', 'stopping', 'failing'],
  running: ['rebalancing', 'stopping', 'failing'],
  stopping: ['stopped', 'failed'],
  failing: ['failed'],
  stopped: [],
  failed: [],
}

export function canFollow(state: ApplicationState, next: ApplicationState): boolean {
  return transitions[state].includes(next)
}
