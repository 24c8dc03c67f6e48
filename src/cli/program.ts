import { Command } from 'commander'

import { defineCassandra } from './cassandra-definition.ts'
import { defineCodegen } from './codegen-definition.ts'
import { describeCommand } from './command-help.ts'
import { defineCompletion } from './completion-definition.ts'
import { defineConfig } from './config-definition.ts'
import { defineDemo } from './demo-definition.ts'
import { defineDescribe } from './describe-definition.ts'
import { defineDlq } from './dlq-definition.ts'
import { defineLag } from './lag-definition.ts'
import { defineReset } from './reset-definition.ts'
import { defineRun } from './run-definition.ts'
import { defineSchemas } from './schemas-definition.ts'
import { defineState } from './state-definition.ts'
import { defineTop } from './top-definition.ts'

/**
 * The commands, each defined beside its code. The code itself is loaded when a command is asked for: `weir config` needs no native addon.
 */
export function program(): Command {
  const weir = new Command('weir')
    .description(
      'Stateful stream processing on Kafka. Settings are WEIR_* environment variables: see weir config.',
    )
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'weir: ')) })
    .enablePositionalOptions()
  describeCommand(
    weir,
    [
      ['weir demo', 'see it work, without a broker'],
      ['weir run segments.ts', 'a worker'],
      ['weir help reset', 'what a command does, with examples'],
    ],
    {
      0: 'done',
      1: 'it failed; one line on standard error says why',
      2: 'something was given wrongly: an argument, a setting, the topology; nothing was begun',
    },
  )
  defineRun(weir)
  defineDemo(weir)
  defineDescribe(weir)
  defineConfig(weir)
  defineTop(weir)
  defineLag(weir)
  defineState(weir)
  defineReset(weir)
  defineDlq(weir)
  defineSchemas(weir)
  defineCodegen(weir)
  defineCassandra(weir)
  defineCompletion(weir)
  return weir
}
