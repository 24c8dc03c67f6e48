#!/usr/bin/env node
import { CommanderError } from 'commander'

import { program } from './program.ts'
import { reportError } from './report-error.ts'

/** @returns the exit code: 0, 1 for a failure at run time, 2 for what was given wrongly */
async function main(): Promise<number> {
  try {
    await program().parseAsync()
    return 0
  } catch (error) {
    // Commander has printed its own message; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return reportError(error)
  }
}

// Ended explicitly: after an error something native may still run.
process.exit(await main())
