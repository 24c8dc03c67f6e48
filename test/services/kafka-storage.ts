import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { makeScratchDir, removeDir } from './scratch-dir.ts'
import { jvmEnvironment } from './server-process.ts'
import { classPath, serviceDir } from './toolchain.ts'

/** Who a node is in its cluster. */
export interface StorageIds {
  nodeId: number
  /** As `newKafkaId` makes it; the same in all nodes. */
  clusterId: string
}

/** A random UUID as Kafka writes it. */
export function newKafkaId(): string {
  // Kafka makes none that could be taken for an option of a command.
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

/**
 * Formats a folder for a node's log, as its storage tool does. The tool is a JVM that starts: it runs once for each version of Kafka, and what it
 * has written is copied.
 *
 * @param ids default: node 1 of a cluster of its own
 */
export async function formatStorage(
  logDir: string,
  { nodeId, clusterId }: StorageIds = { nodeId: 1, clusterId: newKafkaId() },
): Promise<void> {
  const formatted = join(serviceDir('kafka'), 'formatted-log')
  if (!existsSync(formatted)) await runStorageTool(formatted)
  cpSync(formatted, logDir, { recursive: true })
  const metaFile = join(logDir, 'meta.properties')
  const meta = readFileSync(metaFile, 'utf8')
    .replace(/^cluster\.id=.*$/m, `cluster.id=${clusterId}`)
    .replace(/^node\.id=.*$/m, `node.id=${nodeId}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${newKafkaId()}`)
  writeFileSync(metaFile, meta)
}

/** @param folder appears when it is whole: several processes may be at it */
async function runStorageTool(folder: string): Promise<void> {
  const made = `${folder}-${process.pid}`
  const scratch = makeScratchDir('kafka-format')
  mkdirSync(scratch, { recursive: true })
  const propertiesFile = join(scratch, 'server.properties')
  writeFileSync(
    propertiesFile,
    [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@127.0.0.1:9093',
      'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
      'controller.listener.names=CONTROLLER',
      `log.dirs=${made}`,
      '',
    ].join('\n'),
  )
  const args = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classPath('kafka')]
  const format = ['kafka.tools.StorageTool', 'format', '--config', propertiesFile]
  format.push(`--cluster-id=${newKafkaId()}`)
  try {
    await promisify(execFile)('java', [...args, ...format], { env: jvmEnvironment() })
    renameSync(made, folder)
  } catch (error) {
    removeDir(made)
    // Another process was first.
    if (existsSync(folder)) return
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`Kafka's storage could not be formatted:\n${stdout ?? ''}${stderr ?? String(error)}`)
  } finally {
    removeDir(scratch)
  }
}
