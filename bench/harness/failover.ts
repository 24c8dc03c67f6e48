import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'

import { addOutputOption, listOf, positiveInteger, resultsFile, write } from './command.ts'
import { type EndsOptions, failoverEnds, type Round } from './failover-ends.ts'
import { failoverMove, type Move, type MoveOptions } from './failover-move.ts'
import { moveSystemNames } from './failover-systems.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { repoDir } from './paths.ts'
import { median, round } from './results.ts'

const parts = ['ends', 'move']

interface FailoverOptions extends EndsOptions, MoveOptions {
  parts: string[]
}

/** Adds `bench failover`: how long partitions stand still when a process ends, or comes back. */
export function addFailover(program: Command): void {
  const command = program
    .command('failover')
    .description('two processes: how long partitions stand still when one ends, or comes back')
    .option('--parts <names>', `of ${parts.join(', ')}`, listOf(parts), parts)
    .option('--systems <names>', `of ${moveSystemNames.join(', ')}, for move`, listOf(moveSystemNames), [
      ...moveSystemNames,
    ])
    .option('--runs <n>', 'rounds', positiveInteger, 3)
    .option('--keys <n>', 'that are counted, for ends', positiveInteger, 100_000)
    .option('--records <n>', 'counted before anything is measured, for ends', positiveInteger, 300_000)
    .option('--rate <n>', 'records per second while it is measured', positiveInteger, 2_000)
    .option('--partitions <n>', 'of the input topic, for ends', positiveInteger, 8)
    .option('--heartbeat-ms <n>', 'heartbeat.interval.ms of the group', positiveInteger, 250)
    .option('--session-ms <n>', 'session time-out of the static member that stops', positiveInteger, 6_000)
    .option('--memory-bytes <n>', 'WEIR_MEMORY_BYTES of each process', positiveInteger, 2 ** 30)
    .option('--move-keys <n>', 'rows of the task that moves', positiveInteger, 5_000_000)
    .option('--value-bytes <n>', 'of a row, for move', positiveInteger, 100)
    .option('--seed <n>', 'of the values, for move', positiveInteger, 1)
  addOutputOption(
    command,
    'bench/results/failover.json when all parts had three rounds of all systems, else build/bench',
  )
  command.action(async ({ output, ...options }: FailoverOptions & { output?: string }) => {
    const logDir = join(repoDir, 'build/bench/logs')
    rmSync(logDir, { recursive: true, force: true })
    mkdirSync(logDir, { recursive: true })
    const log = (line: string): void => console.log(line)
    const { rounds, runs } = options.parts.includes('ends')
      ? await failoverEnds(options, logDir, log)
      : { rounds: [], runs: [] }
    const moves = options.parts.includes('move') ? await failoverMove(options, logDir, log) : []
    const figures = { ...figuresOfEnds(rounds), ...figuresOfMoves(moves) }
    for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${value} ms`)
    const isComplete =
      options.runs >= 3 &&
      options.parts.length === parts.length &&
      options.systems.length === moveSystemNames.length
    write(output ?? resultsFile('failover', isComplete), {
      workload: 'failover',
      machine: describeMachine(),
      versions: describeVersions(),
      settings: { ...options, groupProtocol: 'classic', method: 'bench/README.md' },
      runs,
      ratios: [],
      figures,
      rounds,
      moves,
    })
  })
}

function figuresOfEnds(rounds: readonly Round[]): Record<string, number> {
  if (rounds.length === 0) return {}
  const middle = (figure: (one: Round) => number): number => round(median(rounds.map(figure)))
  return {
    staticRestartFirstOutputMs: middle(({ staticRestart }) => staticRestart.firstOutputMs),
    staticRestartAllOutputsMs: middle(({ staticRestart }) => staticRestart.allOutputsMs),
    dynamicStopTakenOverMs: middle(({ dynamicStop }) => dynamicStop.takenOverMs),
    dynamicStopRestoreMs: middle(({ dynamicStop }) => dynamicStop.restoreMs),
    staticStopAfterSessionMs: middle(({ staticStop }) => staticStop.afterSessionMs),
  }
}

function figuresOfMoves(moves: readonly Move[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const [system, ofSystem] of Map.groupBy(moves, (move) => move.system)) {
    figures[`move ${system} firstOutputMs`] = round(median(ofSystem.map((move) => move.firstOutputMs)))
    figures[`move ${system} caughtUpMs`] = round(median(ofSystem.map((move) => move.caughtUpMs)))
    figures[`move ${system} p99Ms`] = round(median(ofSystem.map((move) => move.p99Ms)))
  }
  return figures
}
