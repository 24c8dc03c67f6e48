import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Every block of TypeScript on a page of docs/. */
export function examplesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return Array.from(text.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code!)
}

/** Runs an example that is a test of its own, on these sources. @returns the report, in TAP; throws when it fails */
export function runExample(code: string): string {
  const local = code
    .replace("'weir'", `'${new URL('../../src/index.ts', import.meta.url)}'`)
    .replace("'weir/testing'", `'${new URL('../../src/testing/index.ts', import.meta.url)}'`)
  const folder = mkdtempSync(join(tmpdir(), 'weir-docs-'))
  try {
    const file = join(folder, 'example.test.mts')
    writeFileSync(file, local)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    return execFileSync(process.execPath, ['--test', '--test-reporter=tap', file], { encoding: 'utf8', env })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
