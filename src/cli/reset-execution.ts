import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { errorCodeOf } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { askCluster } from '../runtime/cluster-requests.ts'
import { pause } from '../runtime/retry.ts'
import { StateDirectory } from '../runtime/state-directory.ts'
import { REQUEST_TIMEOUT_MS, type ResetPlan, type ResetRequest, requireNoMembers } from './reset-plan.ts'
import { ResetTables } from './reset-tables.ts'

/** How long a deleted topic may still be seen. */
const DELETED_VISIBLE_MS = 30_000
const POLL_MS = 100

/**
 * Does what was planned: offsets, internal topics, tables of tiered stores, local state, in this order. What was done of a reset that fails is done again by the next one.
 *
 * @throws WeirError group-active; state-dir-locked, state-dir-foreign or as ResetTables.open before anything is changed; topic-not-deleted; as askCluster; as
 * ResetTables.empty
 *
 * @param onDone is told of steps that are done, as {@link stepsOf} counts them
 */
export async function executeReset(
  plan: ResetPlan,
  request: ResetRequest,
  onDone: (steps: number) => void = () => {},
): Promise<void> {
  const { config, admin } = request
  const { applicationId, stateDir } = config
  await using resources = new AsyncDisposableStack()
  const directory = plan.localState.isDeleted ? await StateDirectory.open(stateDir, applicationId) : null
  // Held until the end: a process that starts meanwhile on this disk is told who has it.
  if (directory !== null) resources.defer(() => directory.close())
  const tables = plan.emptiedTables.length === 0 ? null : await ResetTables.open(request.topology!, request)
  if (tables !== null) resources.defer(() => tables.close())
  await requireNoMembers(request)

  const offsets = plan.offsets.flatMap(({ topic, partition, target }) =>
    target === null ? [] : [{ topic, partition, offset: target }],
  )
  await askCluster('setting the offsets of the group', request, () =>
    admin.alterGroupOffsets(applicationId, offsets, REQUEST_TIMEOUT_MS),
  )
  onDone(offsets.length)
  await deleteTopics(plan.deletedTopics, request)
  onDone(plan.deletedTopics.length)
  await tables?.empty(() => onDone(1))
  if (directory === null) return
  await removeState(directory.path)
  onDone(1)
}

/** How many steps a plan has. */
export function stepsOf({ offsets, deletedTopics, emptiedTables, localState }: ResetPlan): number {
  const set = offsets.filter(({ target }) => target !== null)
  return set.length + deletedTopics.length + emptiedTables.length + Number(localState.isDeleted)
}

/** With their offsets: a topic of the same name that is made a moment later must not be read from where this one ended. */
async function deleteTopics(names: readonly string[], request: ResetRequest): Promise<void> {
  const { config, admin, signal } = request
  const { applicationId } = config
  const committed = await askCluster('reading the offsets of the group', request, () =>
    admin.groupOffsets(applicationId, REQUEST_TIMEOUT_MS),
  )
  const outdated = committed.filter(({ topic }) => names.includes(topic))
  await askCluster('deleting offsets of the group', request, () =>
    admin.deleteGroupOffsets(applicationId, outdated, REQUEST_TIMEOUT_MS),
  )
  const [failure] = await askCluster('deleting topics', request, () =>
    admin.deleteTopics(names, REQUEST_TIMEOUT_MS),
  )
  if (failure !== undefined) {
    const code = errorCodeOf(failure.error)
    throw new WeirError(
      code === 'authorization-failed' ? code : 'topic-not-deleted',
      `internal topic ${failure.name} cannot be deleted: ${messageOf(failure.error)}`,
      { cause: failure.error },
    )
  }
  const deadlineMs = performance.now() + DELETED_VISIBLE_MS
  for (;;) {
    const left = await askCluster('describing topics', request, () =>
      admin.describeTopics(names, REQUEST_TIMEOUT_MS),
    )
    if (left.length === 0) return
    if (performance.now() >= deadlineMs || signal.aborted)
      throw new WeirError(
        'topic-not-deleted',
        `still there after being deleted: internal topic ${left.map(({ name }) => name).join(', ')}`,
      )
    await pause(POLL_MS, signal)
  }
}

/** All but whose folder it is: the process stays the same, and ends under exactly_once_v2 what it left open. */
async function removeState(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name !== 'weir.json' && name !== 'lock')
      await rm(path.join(folder, name), { recursive: true, force: true })
  }
}
