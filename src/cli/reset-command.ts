import { pino } from 'pino'

import { adminConfig } from '../config/clients.ts'
import { loadConfig } from '../config/load.ts'
import { WeirError } from '../errors/weir-error.ts'
import { Admin } from '../native.ts'
import { createLogger } from '../observe/logger.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { isConfirmed } from './confirm.ts'
import { ProgressBar } from './progress-bar.ts'
import { executeReset, stepsOf } from './reset-execution.ts'
import { planReset, type ResetPlan } from './reset-plan.ts'
import { describeTarget, type OffsetTarget, parseTarget, type TargetOptions } from './reset-target.ts'
import { textTable } from './text-table.ts'

/** How long brokers may be unreachable. */
const TIMEOUT_MS = 30_000

export interface ResetOptions extends TargetOptions {
  readonly inputTopics?: readonly string[]
  readonly internalTopics?: readonly string[]
  readonly localState?: true
  readonly execute?: true
  readonly dryRun?: true
  readonly force?: true
  readonly json?: true
}

/**
 * `weir reset`: an application begins anew. Prints what is going to be done, and does it when it is told to: by --execute, or by a yes on a
 * terminal. Kafka's kafka-streams-application-reset, with KafkaStreams.cleanUp.
 *
 * @param modulePath the topology; null: only topics that are named are deleted
 * @throws WeirError with one line, also for a group with members (group-active)
 */
export async function resetApplication(modulePath: string | null, options: ResetOptions): Promise<void> {
  if (options.force === true)
    throw new WeirError(
      'config-invalid',
      '--force: librdkafka cannot remove the members of a group; stop them, or wait for their session timeout',
    )
  const target = parseTarget(options, Date.now())
  const config = loadConfig()
  const topology =
    modulePath === null ? null : await loadTopology(moduleUrlOf(modulePath), config.topologyOptimization)
  const admin = new Admin(adminConfig(config))
  try {
    const request = {
      config,
      admin,
      topology,
      named: { inputTopics: options.inputTopics ?? null, internalTopics: options.internalTopics ?? [] },
      target,
      deletesLocalState: options.localState === true,
      // Standard output is the plan's.
      logger: createLogger(config, pino.destination({ dest: 2, sync: true })),
      signal: new AbortController().signal,
      timeoutMs: TIMEOUT_MS,
    }
    const plan = await planReset(request)
    const json = options.json === true
    if (!json) process.stdout.write(`${describePlan(plan, target)}\n\n`)
    const isExecuted =
      options.execute === true ||
      (options.dryRun !== true && !json && (await isConfirmed('Reset the application?')))
    if (isExecuted) {
      using bar = new ProgressBar('Resetting', stepsOf(plan))
      await executeReset(plan, request, (steps) => bar.add(steps))
    }
    if (json) process.stdout.write(`${JSON.stringify({ ...plan, isExecuted }, null, 2)}\n`)
    else process.stdout.write(isExecuted ? 'Done.\n' : 'Nothing was changed; --execute does it.\n')
  } finally {
    await admin.close()
  }
}

/** A plan for people. */
export function describePlan(plan: ResetPlan, target: OffsetTarget): string {
  const { applicationId, groupState, offsets, localState } = plan
  const sections = [`Application ${applicationId}: its group has no members (${groupState})`]
  const offsetRows = offsets.map(({ topic, partition, committed, earliest, end, target: offset }) => [
    topic,
    String(partition),
    `${earliest} .. ${end}`,
    committed === null ? '-' : String(committed),
    offset === null ? '(as it is)' : String(offset),
  ])
  sections.push(
    offsetRows.length === 0
      ? 'No source topic: no offset is set'
      : `Offsets of source topics are set ${describeTarget(target)}\n${textTable([
          ['topic', 'partition', 'records', 'committed', 'new'],
          ...offsetRows,
        ])}`,
  )
  const list = (title: string, names: readonly string[]): void => {
    if (names.length > 0) sections.push([title, ...names.map((name) => `  ${name}`)].join('\n'))
  }
  list('Source topics that do not exist', plan.missingTopics)
  if (plan.deletedTopics.length === 0) sections.push('No internal topic is deleted')
  list('Internal topics that are deleted', plan.deletedTopics)
  list(
    'Topics that may be its own by their names, and are left alone; --internal-topics deletes those it names',
    plan.leftAloneTopics,
  )
  list('Tables of tiered stores in Cassandra that are emptied', plan.emptiedTables)
  sections.push(describeLocalState(localState))
  return sections.join('\n\n')
}

function describeLocalState({ path, exists, isDeleted }: ResetPlan['localState']): string {
  if (!exists) return `Local state: none at ${path}; other machines may have some`
  return isDeleted
    ? `Local state in ${path} is deleted; other machines may have some`
    : `Local state in ${path} is left alone; --local-state deletes it`
}
