/**
 * Runs test files with Node's test runner, in the order given: `node --test` sorts them by name, and a long one that starts last leaves all but one core
 * idle.
 *
 *   scripts/node scripts/run-tests.ts <files at a time> <file>...
 */
import { relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const [concurrency, ...files] = process.argv.slice(2)
const seconds = new Map<string, number>()
/** How the processes of files ended that did not end as Node's test runner ends them. */
const ends: string[] = []

run({ files, concurrency: Number(concurrency) })
  .on('test:fail', ({ todo, name, details }) => {
    if (todo === undefined || todo === false) process.exitCode = 1
    const { exitCode, signal } = details.error as { exitCode?: number | null; signal?: string | null }
    if (signal != null) ends.push(`${name} was ended by ${signal}`)
    else if (exitCode != null) ends.push(`${name} ended with exit code ${exitCode}`)
  })
  .on('test:summary', ({ file, duration_ms }) => {
    if (file !== undefined) seconds.set(file, duration_ms / 1_000)
    else {
      const longest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, 10)
      console.log('the longest files, seconds:')
      for (const [name, duration] of longest) console.log(`${duration.toFixed(1)} ${relative('.', name)}`)
      for (const end of ends) console.log(end)
    }
  })
  .compose(spec)
  .pipe(process.stdout)
