import { makeScratchDir, removeDir } from './scratch-dir.ts'
import { type ServerCommand, ServerProcess } from './server-process.ts'

/** Started under `await using`, a service ends, and its data goes, with the block. */
export interface Service extends AsyncDisposable {
  /** Process id of the running server. */
  readonly pid: number
  readonly isRunning: boolean
  /** What the server has printed. */
  readonly logFile: string
  /** Ends the server for good and removes its data, unless the caller gave the data folder. May be called twice. */
  stop(): Promise<void>
  /** Ends the server with SIGKILL. Its data and ports stay for `restart`. */
  kill9(): Promise<void>
  /** Ends the server in an orderly way. Its data and ports stay for `restart`. */
  shutDown(): Promise<void>
  /** Ends the server in an orderly way, if it runs, and starts it again with the same data and ports. */
  restart(): Promise<void>
}

export interface ServiceSetup {
  name: string
  /** A data folder that is the caller's to remove; without it, a temporary one. */
  dataDir?: string | undefined
  /** Prepares the folder and says how to start the server. */
  prepare(dir: string): Promise<Omit<ServerCommand, 'name'>>
}

/** Prepares and starts a server on a folder of its own. */
export async function startService({ name, dataDir, prepare }: ServiceSetup): Promise<Service> {
  const dir = dataDir ?? makeScratchDir(name)
  const dataIsKept = dataDir !== undefined
  try {
    const command = await prepare(dir)
    const server = new ServerProcess({ name, ...command })
    await server.start()
    return toService(server, command.logFile, dir, dataIsKept)
  } catch (error) {
    if (!dataIsKept) removeDir(dir)
    throw error
  }
}

function toService(server: ServerProcess, logFile: string, dir: string, dataIsKept: boolean): Service {
  const stop = async () => {
    // Nobody will read data that is about to be removed, so there is nothing to wait for.
    await server.kill(dataIsKept ? 'SIGTERM' : 'SIGKILL')
    if (!dataIsKept) removeDir(dir)
  }
  return {
    get pid() {
      return server.pid
    },
    get isRunning() {
      return server.isRunning
    },
    logFile,
    stop,
    kill9: () => server.kill('SIGKILL'),
    shutDown: () => server.kill('SIGTERM'),
    async restart() {
      await server.kill('SIGTERM')
      await server.start()
    },
    [Symbol.asyncDispose]: stop,
  }
}
