import {
  type ApplicationState,
  type StartOptions,
  startApplication,
  type WeirError,
} from '../../src/index.ts'
import { check, type Equal } from './check.ts'

export async function lifecycle(): Promise<void> {
  const application = await startApplication({
    topology: './topology.ts',
    paused: true,
    onUncaughtError: (error, context) => {
      check<Equal<typeof error, WeirError>>()
      check<Equal<typeof context.threadIndex, number | null>>()
      return context.canReplaceThread && context.replacements < 3 ? 'replace-thread' : 'stop-worker'
    },
  })
  application.on('state', (state, previous) => {
    check<Equal<typeof state, ApplicationState>>()
    check<Equal<typeof previous, ApplicationState>>()
    // @ts-expect-error there is no such state
    if (state === 'paused') return
  })
  const index = await application.addStreamThread()
  check<Equal<typeof index, number>>()
  const removed = await application.removeStreamThread({ timeoutMs: 1_000 })
  check<Equal<typeof removed, number>>()
  check<Equal<typeof application.isPaused, boolean>>()
  // @ts-expect-error it changes by pause and resume alone
  application.isPaused = false
  await application.close({ timeoutMs: 1_000, leaveGroup: true })
  // @ts-expect-error the option is called timeoutMs
  await application.close({ timeout: 1_000 })
}

export const wrong: StartOptions = {
  topology: './topology.ts',
  // @ts-expect-error it cannot wait: the thread has ended already
  onUncaughtError: async () => 'replace-thread',
}
