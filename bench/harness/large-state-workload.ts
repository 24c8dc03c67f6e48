import { count } from './count-workload.ts'
export const largeState = { ...count, name: 'large-state' }
