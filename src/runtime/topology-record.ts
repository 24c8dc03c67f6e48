import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { Config } from '../config/config.ts'
import { WeirError } from '../errors/weir-error.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { changelogTopic, repartitionTopic } from '../topology/topic-names.ts'
import type { Logger } from './logger.ts'

const RECORD_FILE = 'topology.json'
/** What is written; lower ones are read, too. */
const FORMAT = 1

/** `changelog of <store>` and the like, each with the number of the sub-topology that it belongs to. */
type Parts = ReadonlyMap<string, number>

/** What of a topology is kept in Kafka or in a task's folder, by its name there. */
function partsOf(topology: TopologyDefinition, applicationId: string): Parts {
  const parts = new Map<string, number>()
  for (const { id, stores, sourceTopics } of topology.subtopologies) {
    for (const { name, logging, sourceTopic } of stores) {
      const hasChangelog = logging && sourceTopic === undefined
      parts.set(hasChangelog ? `changelog ${changelogTopic(applicationId, name)}` : `store ${name}`, id)
    }
    for (const { name } of topology.repartitionTopics)
      if (sourceTopics.includes(name))
        parts.set(`repartition topic ${repartitionTopic(applicationId, name)}`, id)
  }
  return parts
}

/**
 * The file `topology.json` of an application's folder: which internal topics the topology had for which the state in it was written, and which sub-topology each
 * belonged to. Another topology under the same application would begin with what belongs to others: a generated name is another operator's by then, records in a
 * repartition topic that is gone are read by nobody, and a sub-topology with another number has none of its tasks' folders.
 */
export class TopologyRecord {
  readonly #file: string
  readonly #parts: Parts

  private constructor(file: string, parts: Parts) {
    this.#file = file
    this.#parts = parts
  }

  /**
   * Compares the topology with the one that is written down; where nothing is, with none.
   *
   * @param folder the application's
   * @throws WeirError topology-changed with every difference, unless WEIR_TOPOLOGY_CHANGES accepts them
   */
  static async check(
    folder: string,
    topology: TopologyDefinition,
    config: Pick<Config, 'applicationId' | 'topologyChanges'>,
    logger: Logger,
  ): Promise<TopologyRecord> {
    const file = path.join(folder, RECORD_FILE)
    const parts = partsOf(topology, config.applicationId)
    const before = await read(file)
    const changes = before === null ? [] : compare(before, parts)
    if (changes.length > 0 && config.topologyChanges === 'refuse') {
      throw new WeirError(
        'topology-changed',
        `the topology is not the one that the state folder ${folder} was written for: ${changes.join('; ')}; ` +
          'name stores and repartition topics as before, reset the application or give it another WEIR_APPLICATION_ID, ' +
          'or start it with WEIR_TOPOLOGY_CHANGES=accept: what is added begins empty, what is gone is not read any more, what has moved is restored',
      )
    }
    if (changes.length > 0) logger.warn({ changes }, 'the topology has changed, which is accepted')
    return new TopologyRecord(file, parts)
  }

  /** Writes down the topology, when its topics are there. Written aside and moved into place, so that it is whole. */
  async write(): Promise<void> {
    const aside = `${this.#file}.new`
    const text = JSON.stringify({ format: FORMAT, parts: Object.fromEntries(this.#parts) }, null, 2)
    await writeFile(aside, `${text}\n`, { flush: true })
    await rename(aside, this.#file)
  }
}

/** @returns null when there is none, or one that cannot be read: then nothing is known */
async function read(file: string): Promise<Parts | null> {
  try {
    const { format, parts } = JSON.parse(await readFile(file, 'utf8')) as {
      format: number
      parts: Record<string, number>
    }
    return format >= 1 && format <= FORMAT ? new Map(Object.entries(parts)) : null
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code !== 'ENOENT'
    if (isThere && !(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error
    return null
  }
}

function compare(before: Parts, now: Parts): string[] {
  const changes: string[] = []
  for (const [name, id] of before) {
    const next = now.get(name)
    if (next === undefined) changes.push(`${name} is gone`)
    else if (next !== id) changes.push(`${name} has moved from sub-topology ${id} to ${next}`)
  }
  for (const name of now.keys()) if (!before.has(name)) changes.push(`${name} is new`)
  return changes
}
