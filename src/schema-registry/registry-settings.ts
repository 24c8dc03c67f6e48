/** How a schema registry is reached. Holds secrets: never logged. */
export interface RegistrySettings {
  /** Without credentials. Tried in order, beginning with the one that answered last; none: there is no registry. */
  readonly urls: readonly string[]
  readonly username: string | null
  readonly password: string | null
  /** PEM files. */
  readonly caLocation: string | null
  readonly certificateLocation: string | null
  readonly keyLocation: string | null
  readonly keyPassword: string | null
  readonly requestTimeoutMs: number
  /** Whether schemas that are written are registered: none, those of the application's own topics, or all. */
  readonly autoRegister: 'false' | 'internal' | 'true'
}
