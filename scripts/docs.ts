/** Writes the documents that are made from code: `npm run docs`. */
import { writeFileSync } from 'node:fs'

import { cliDocument } from '../src/cli/documentation.ts'
import { program } from '../src/cli/program.ts'
import { configurationDocument } from '../src/config/documentation.ts'
import { metricsDocument } from '../src/observe/documentation.ts'

const documents = {
  'cli.md': () => cliDocument(program()),
  'configuration.md': configurationDocument,
  'metrics.md': metricsDocument,
}

for (const [name, text] of Object.entries(documents))
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), text())
