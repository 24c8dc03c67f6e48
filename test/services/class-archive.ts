import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Archives of a JVM's loaded classes (class data sharing), which a server that starts again and again maps instead of reading, checking and linking
 * thousands of classes: it starts with half of the CPU time. An archive holds for one version of Java and one class path: elsewhere a JVM goes without
 * it, with a line of warning.
 */
export class ClassArchive {
  readonly #file: string

  /** @param folder of the jars, where the archive is kept */
  constructor(folder: string) {
    this.#file = join(folder, `classes-${javaVersion()}.jsa`)
  }

  get exists(): boolean {
    return existsSync(this.#file)
  }

  /** Options of a JVM that uses the archive; none while it does not exist. */
  get options(): string[] {
    return this.exists ? [`-XX:SharedArchiveFile=${this.#file}`] : []
  }

  /**
   * Makes the archive.
   *
   * @param run runs the server with these options as it is to run later, to an orderly end, at which the archive is written; several processes may
   * be at it
   */
  async make(run: (options: string[]) => Promise<void>): Promise<void> {
    const made = `${this.#file}-${process.pid}`
    try {
      await run([`-XX:ArchiveClassesAtExit=${made}`])
      if (existsSync(made)) renameSync(made, this.#file)
    } finally {
      rmSync(made, { force: true })
    }
  }
}

function javaVersion(): string {
  const java = execFileSync('bash', ['-c', 'command -v java'], { encoding: 'utf8' }).trim()
  const release = readFileSync(join(dirname(realpathSync(java)), '../release'), 'utf8')
  return /^JAVA_RUNTIME_VERSION="([\w.+-]+)"$/m.exec(release)?.[1] ?? 'unknown'
}
