import { createInterface } from 'node:readline/promises'

/** A yes at the terminal; without one that is asked, no. @param question as `Reset the application?` */
export async function isConfirmed(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return false
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
