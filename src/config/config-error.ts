import { WeirError } from '../errors/weir-error.ts'

/** Settings that cannot be used: one line for each, with the variable, its value and what is allowed. Exit code 2. */
export class ConfigError extends WeirError {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super('config-invalid', problems.join('; '))
    this.name = 'ConfigError'
    this.problems = problems
  }
}
