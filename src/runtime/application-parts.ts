import type { Config } from '../config/config.ts'
import type { StateMemory } from '../native.ts'
import type { BuildInfo } from '../observe/build-info.ts'
import type { QueryableStores } from '../query/queryable-stores.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { GlobalThread } from './global/global-thread.ts'
import type { Logger } from './logger.ts'
import type { Membership, MembershipListener } from './membership/membership.ts'
import type { RestoreListener } from './restore-listener.ts'
import type { OpenSchemas } from './schemas/open-schemas.ts'
import type { StreamThreadListener, ThreadPool } from './thread-pool.ts'
import type { TopicAdmin } from './topic-admin.ts'
import type { UncaughtErrorHandler } from './uncaught-errors.ts'

/** What is known of topics that come and go. */
export interface FollowedPatterns {
  /** As it was built. */
  readonly topology: TopologyDefinition
  /** Whether a topic may be one of them. */
  readonly matches: (topic: string) => boolean
}

/** What an application is made of, as launch-application.ts prepares it. */
export interface ApplicationParts {
  readonly config: Config
  readonly logger: Logger
  readonly admin: TopicAdmin
  readonly memory: StateMemory
  /** With the topics that there were at the start. */
  readonly plan: ApplicationPlan
  /** null: no source has a pattern. */
  readonly patterns: FollowedPatterns | null
  /** Plans anew, with the topics that there are now, and as many partitions as they have. @param signal ends the waiting for brokers */
  replan(signal: AbortSignal): Promise<ApplicationPlan>
  /** By real name. */
  readonly repartitionTopics: ReadonlySet<string>
  /** Of tiered stores: as of `tierChangelogs`. */
  readonly tierChangelogs: ReadonlyMap<string, string>
  /** One Int32 counter for each thread that there may be. */
  readonly heartbeats: SharedArrayBuffer
  /** null: the topology has no global stores. It ends after the stream threads. */
  readonly globalThread: GlobalThread | null
  /** Answers what threads ask the schema registry. */
  readonly schemas: Pick<OpenSchemas, 'handlers' | 'metrics'>
  /** What can be asked. */
  readonly stores: QueryableStores
  readonly restoreListener: RestoreListener | undefined
  readonly onUncaughtError: UncaughtErrorHandler | undefined
  /** Whether the threads begin paused. */
  readonly isPaused: boolean
  readonly build: BuildInfo
  /** What was opened so far. What the application opens is put into it, and with `join` it becomes the application's. */
  readonly resources: AsyncDisposableStack
  /** Opens the group consumer. */
  openMembership(listener: MembershipListener): Membership
  /** For the workers of the stream threads. */
  openThreads(membership: Membership, listener: StreamThreadListener): ThreadPool
}
