import { access } from 'node:fs/promises'
import path from 'node:path'

import type { Config } from '../config/config.ts'
import { WeirError } from '../errors/weir-error.ts'
import type { Admin, GroupDescription } from '../native.ts'
import { askCluster, type ClusterRequestOptions } from '../runtime/cluster-requests.ts'
import { partitionKey } from '../runtime/task-inputs.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { stateTables } from './reset-tables.ts'
import { type OffsetTarget, type PartitionOffsets, targetOffset } from './reset-target.ts'
import { type NamedTopics, resetTopics } from './reset-topics.ts'

/** One request's limit; a broker that is away is asked again. */
export const REQUEST_TIMEOUT_MS = 10_000

export interface PlannedOffset extends PartitionOffsets {
  /** null: as it is. */
  readonly target: number | null
}

/** What a reset is going to do. */
export interface ResetPlan {
  readonly applicationId: string
  readonly groupState: string
  readonly offsets: readonly PlannedOffset[]
  readonly missingTopics: readonly string[]
  readonly deletedTopics: readonly string[]
  readonly leftAloneTopics: readonly string[]
  /** Of tiered stores, in Cassandra. */
  readonly emptiedTables: readonly string[]
  readonly localState: { readonly path: string; readonly exists: boolean; readonly isDeleted: boolean }
}

export interface ResetRequest extends ClusterRequestOptions {
  readonly config: Config
  readonly admin: Admin
  /** null: none was given. */
  readonly topology: TopologyDefinition | null
  readonly named: NamedTopics
  readonly target: OffsetTarget
  readonly deletesLocalState: boolean
}

/**
 * Looks for what a reset concerns, and changes nothing.
 *
 * @throws WeirError group-active; as resetTopics; broker-unreachable, authentication-failed, authorization-failed
 */
export async function planReset(request: ResetRequest): Promise<ResetPlan> {
  const { config, admin, named, target, deletesLocalState } = request
  const { applicationId } = config
  const groupState = await requireNoMembers(request)
  const [listed, committed] = await Promise.all([
    askCluster('listing topics', request, () => admin.listTopics(REQUEST_TIMEOUT_MS)),
    askCluster('reading the offsets of the group', request, () =>
      admin.groupOffsets(applicationId, REQUEST_TIMEOUT_MS),
    ),
  ])
  const partitions = new Map(listed.map((topic) => [topic.name, topic.partitions]))
  const topics = resetTopics(
    applicationId,
    request.topology,
    named,
    new Set(partitions.keys()),
    committed.map(({ topic }) => topic),
  )
  if (target.kind === 'file') checkFile(target.offsets, topics.inputs, partitions)
  const inputs = topics.inputs.flatMap((topic) =>
    Array.from({ length: partitions.get(topic)! }, (_, partition) => ({ topic, partition })),
  )
  const ask = (at: 'earliest' | 'latest' | number): Promise<ReadonlyMap<string, number>> =>
    askCluster('listing offsets', request, async () => {
      const offsets = await admin.listOffsets(inputs, at, 'read_uncommitted', REQUEST_TIMEOUT_MS)
      return new Map(
        offsets.filter(({ offset }) => offset >= 0).map((one) => [partitionKey(one), one.offset]),
      )
    })
  const [earliest, end, since] = await Promise.all([
    ask('earliest'),
    ask('latest'),
    target.kind === 'time' ? ask(target.timeMs) : new Map<string, number>(),
  ])
  const current = new Map(
    committed.filter(({ offset }) => offset >= 0).map((one) => [partitionKey(one), one.offset]),
  )
  const folder = path.join(config.stateDir, applicationId)
  const exists = await access(folder).then(
    () => true,
    () => false,
  )
  return {
    applicationId,
    groupState,
    offsets: inputs.map((input) => {
      const key = partitionKey(input)
      const known = {
        ...input,
        committed: current.get(key) ?? null,
        earliest: earliest.get(key)!,
        end: end.get(key)!,
        since: since.get(key) ?? null,
      }
      return { ...known, target: targetOffset(target, known) }
    }),
    missingTopics: topics.missing,
    deletedTopics: topics.deleted,
    leftAloneTopics: topics.leftAlone,
    emptiedTables: stateTables(request.topology),
    localState: { path: folder, exists, isDeleted: exists && deletesLocalState },
  }
}

/**
 * @returns the group's state
 * @throws WeirError group-active with the members
 */
export async function requireNoMembers(
  request: Pick<ResetRequest, 'admin' | 'config' | 'logger' | 'signal' | 'timeoutMs'>,
): Promise<string> {
  const { applicationId } = request.config
  const { state, members } = await askCluster('describing the group', request, () =>
    request.admin.describeGroup(applicationId, REQUEST_TIMEOUT_MS),
  )
  if (members.length === 0) return state
  throw new WeirError(
    'group-active',
    `group ${applicationId} has ${members.length === 1 ? 'an active member' : `${members.length} active members`}: ${members.map(nameOf).join('; ')}. ` +
      'Stop every process of the application; one that was killed, and a static member, leaves after its session timeout',
  )
}

function nameOf({ memberId, instanceId, clientId, host }: GroupDescription['members'][number]): string {
  const instance = instanceId === null ? '' : `, instance ${instanceId}`
  return `${memberId} (client ${clientId}${instance}, host ${host.replace(/^\//, '')})`
}

/** @throws WeirError config-invalid for a partition that is none of the source topics' */
function checkFile(
  offsets: ReadonlyMap<string, number>,
  inputs: readonly string[],
  partitions: ReadonlyMap<string, number>,
): void {
  const known = new Set(
    inputs.flatMap((topic) =>
      Array.from({ length: partitions.get(topic)! }, (_, partition) => partitionKey({ topic, partition })),
    ),
  )
  const unknown = [...offsets.keys()].filter((key) => !known.has(key))
  if (unknown.length > 0)
    throw new WeirError(
      'config-invalid',
      `--from-file: ${unknown.join(', ')}: no partition of a source topic; those are ${inputs.join(', ')}`,
    )
}
