import { ConfigError } from '../config/config-error.ts'
import { type DescribedSetting, describeSettings } from '../config/describe-settings.ts'
import { toConfig } from '../config/load.ts'
import { describeMachine, type Machine } from '../config/machine.ts'
import { describeMemory } from '../config/memory.ts'
import { type Environment, readSettings } from '../config/settings.ts'

export interface ConfigReport {
  readonly text: string
  /** One line for each setting that cannot be used. */
  readonly problems: readonly string[]
}

/** `weir config`: every setting with its value, default and meaning, also when some cannot be used. Secrets are hidden. */
export function reportConfig(
  options: { readonly json: boolean },
  environment: Environment = process.env,
  machine: Machine = describeMachine(),
): ConfigReport {
  const settings = readSettings(environment, machine)
  const described = describeSettings(settings)
  let problems = settings.problems
  let memory: Record<string, string> | null = null
  try {
    const config = toConfig(settings)
    memory = describeMemory(config.memoryBytes, config.memory)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems = error.problems
  }
  if (options.json)
    return { text: JSON.stringify({ settings: described, memory, problems }, null, 2), problems }
  const sections = [...new Set(described.map(({ group }) => group))].map((group) => {
    const ofGroup = described.filter((setting) => setting.group === group)
    return `${group}\n\n${ofGroup.map(settingText).join('\n')}`
  })
  if (memory !== null) {
    const lines = Object.entries(memory).map(([part, size]) => `  ${part}: ${size}`)
    sections.push(`Memory as divided\n\n${lines.join('\n')}\n`)
  }
  return { text: sections.join('\n'), problems }
}

function settingText(setting: DescribedSetting): string {
  const value = setting.value === null ? '(not set)' : String(setting.value)
  const from = setting.source === 'default' ? '' : `  (from the ${setting.source})`
  const kafkaName = setting.kafkaName === null ? '' : ` Kafka's ${setting.kafkaName}.`
  return `  ${setting.variable}=${value}${from}\n      ${setting.meaning}${kafkaName}\n      Default: ${setting.default}. Allowed: ${setting.allowed}.\n`
}
