import type { Config } from '../config/config.ts'
import type { RecentLines } from '../observe/recent-lines.ts'
import type { Application } from '../runtime/application.ts'
import type { TopologyGraph } from '../topology/topology-graph.ts'

/** What the console shows: asked for when somebody looks. */
export interface ConsoleSource {
  readonly config: Config
  readonly topology: TopologyGraph
  /** null while it starts. */
  readonly application: () => Application | null
  readonly recent: RecentLines
  /** What `weir config --json` prints. */
  readonly settings: () => string
}
