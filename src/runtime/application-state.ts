/**
 *   created ──> rebalancing <──> running
 *      │             │              │
 *      └─────────────┴──────────────┴──> stopping ──> stopped
 *                                            └──────> failed
 *
 * - `created`: topics are looked up, threads start.
 * - `rebalancing`: partitions are being handed out, or a task restores its state.
 * - `running`: every task of this process runs; also when it has none.
 * - `stopping`: tasks commit and close, the group is left: asked for, or after an error.
 * - `stopped`: as asked. `failed`: because of an error, or the stop did not succeed.
 *
 * Kafka Streams' KafkaStreams.State.
 */
export type ApplicationState = 'created' | 'rebalancing' | 'running' | 'stopping' | 'stopped' | 'failed'

const transitions: Readonly<Record<ApplicationState, readonly ApplicationState[]>> = {
  created: ['rebalancing', 'stopping'],
  rebalancing: ['running', 'stopping'],
  running: ['rebalancing', 'stopping'],
  stopping: ['stopped', 'failed'],
  stopped: [],
  failed: [],
}

export function canFollow(state: ApplicationState, next: ApplicationState): boolean {
  return transitions[state].includes(next)
}
