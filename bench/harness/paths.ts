import { fileURLToPath } from 'node:url'

export const repoDir = fileURLToPath(new URL('../..', import.meta.url))
