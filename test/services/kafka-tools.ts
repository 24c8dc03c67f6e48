import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { jvmEnvironment } from './server-process.ts'
import { classPath } from './toolchain.ts'

export interface TopicDescription {
  topic: string
  topicId: string
  partitions: number
  /** Only what differs from the broker's defaults. */
  configs: Record<string, string>
}

/**
 * Describes topics (all, without a list) by Kafka's own TopicCommand, one JVM a call: about 2 s. It knows configs and topic ids, which
 * node-rdkafka does not.
 */
export async function describeTopics(
  bootstrapServers: string,
  topics?: string[],
): Promise<Map<string, TopicDescription>> {
  const selection = topics ? topics.flatMap((topic) => ['--topic', topic]) : []
  const args = ['--bootstrap-server', bootstrapServers, '--describe', ...selection]
  const output = await runKafkaTool('org.apache.kafka.tools.TopicCommand', args)
  const descriptions = output.split('\n').flatMap(parseDescription)
  return new Map(descriptions.map((description) => [description.topic, description]))
}

/** Runs a class with a main method from Kafka's jars and returns its standard output. Throws with all its output when it fails. */
export async function runKafkaTool(mainClass: string, args: string[]): Promise<string> {
  const jvm = [
    '-Xmx256m',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
  ]
  try {
    const options = { maxBuffer: 64 * 1024 * 1024, env: jvmEnvironment() }
    const { stdout } = await promisify(execFile)(
      'java',
      [...jvm, '-cp', classPath('kafka'), mainClass, ...args],
      options,
    )
    return stdout
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as { stdout?: string; stderr?: string; message: string }
    throw new Error(`${mainClass} ${args.join(' ')}: ${stdout}${stderr || message}`)
  }
}

function parseDescription(line: string): TopicDescription[] {
  const match =
    /^Topic: (\S+)\s+TopicId: (\S+)\s+PartitionCount: (\d+)\s+ReplicationFactor: \d+\s+Configs: ?(.*)$/.exec(
      line,
    )
  if (!match) return []
  const [, topic = '', topicId = '', partitions, configs = ''] = match
  // A value may hold commas itself (compact,delete); a setting's name follows only where an equals sign does.
  const pairs = configs.trim().split(/,(?=[a-z.]+=)/)
  const entries = pairs
    .filter(Boolean)
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
  return [{ topic, topicId, partitions: Number(partitions), configs: Object.fromEntries(entries) }]
}
