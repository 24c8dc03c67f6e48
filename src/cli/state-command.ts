import { formatBytes } from '../config/value-type.ts'
import { WeirError } from '../errors/weir-error.ts'
import { beginsWithFrame, prefixFrameBytes, prefixOfFrame } from '../serde/prefix-key.ts'
import { isLoadedName } from '../topology/tiered-stores.ts'
import { type InspectedApplication, type InspectedTask, inspectStateFolder } from './state-folder.ts'
import { textTable } from './text-table.ts'

/** Segments that the text shows of a store: the oldest and the youngest; --json has them all. */
const SEGMENTS_SHOWN = 6
const KEY_CHARACTERS = 40
const PREFIX_BYTES = 8

export interface StateReportOptions {
  readonly json: boolean
  readonly count: boolean
  /** Against which ages are told, ms since 1970. */
  readonly nowMs: number
}

/**
 * `weir state`: what a state folder holds, for people or as JSON.
 *
 * @returns the text, and the tasks whose databases cannot be read
 * @throws WeirError as inspectStateFolder
 */
export async function reportState(
  folder: string,
  options: StateReportOptions,
): Promise<{ readonly text: string; readonly damage: WeirError | null }> {
  const applications = await inspectStateFolder(folder, options)
  const damaged = applications.flatMap(({ tasks }) => tasks.filter((task) => task.damage !== null))
  const text = options.json
    ? JSON.stringify({ counted: options.count, applications: applications.map(toJson) }, null, 2)
    : applications.map((application) => toText(application, options)).join('\n\n')
  const damage =
    damaged.length === 0
      ? null
      : new WeirError(
          'state-corrupt',
          damaged.map(({ task, damage }) => `task ${task}: ${damage}`).join('; '),
        )
  return { text, damage }
}

type Store = InspectedTask['stores'][number]

/** Keys as text where they are, and as hexadecimal always. */
function toJson(application: InspectedApplication): unknown {
  const key = (bytes: Buffer | null): unknown =>
    bytes === null ? null : { hex: bytes.toString('hex'), text: textOrNull(bytes) }
  return {
    ...application,
    tasks: application.tasks.map((task) => ({
      ...task,
      stores: task.stores.map((store) => ({
        ...store,
        kind: kindOf(store),
        firstKey: key(ownKey(store, store.firstKey)),
        lastKey: key(ownKey(store, store.lastKey)),
        segmented: store.segmented && {
          ...store.segmented,
          segments: store.segmented.segments.map((segment) => ({
            ...segment,
            fromMs: segment.segment < 0 ? null : segment.segment * store.segmented!.intervalMs,
          })),
        },
      })),
    })),
  }
}

function toText(
  { path, applicationId, processId, tasks, others }: InspectedApplication,
  options: StateReportOptions,
): string {
  const title = applicationId === null ? path : `${path}\napplication ${applicationId}, process ${processId}`
  const rows = tasks.flatMap((task) =>
    task.stores.length === 0
      ? [[task.task, task.damage === null ? '(no store)' : '(damaged)', '', '', '', '', '', '', '']]
      : task.stores.map((store) => storeRow(task, store, options)),
  )
  const head = [
    'task',
    'store',
    'kind',
    options.count ? 'keys' : 'keys (estimated)',
    'bytes',
    'files',
    'offset',
    'age',
    'key range',
  ]
  const parts = [title, tasks.length === 0 ? 'no task' : textTable([head, ...rows])]
  const segments = tasks.flatMap((task) =>
    task.stores.filter(({ segmented }) => segmented !== null).map((store) => segmentLines(task, store)),
  )
  if (segments.length > 0) parts.push(segments.join('\n'))
  for (const { task, damage } of tasks) if (damage !== null) parts.push(`task ${task} is damaged: ${damage}`)
  if (others.length > 0) parts.push(`besides: ${others.join(', ')}`)
  const total = tasks.reduce((sum, { bytes }) => sum + bytes, 0)
  parts.push(
    `${tasks.length} tasks, ${formatBytes(total)} on disk; what a process had not flushed is not on disk`,
  )
  return parts.join('\n\n')
}

function storeRow({ task }: InspectedTask, store: Store, { nowMs }: StateReportOptions): string[] {
  const { offset } = store
  const first = ownKey(store, store.firstKey)
  const last = ownKey(store, store.lastKey)
  return [
    task,
    store.name,
    kindOf(store),
    String(store.keys),
    formatBytes(store.bytes),
    String(store.files),
    offset === null || offset.offset < 0 ? '-' : String(offset.offset),
    offset === null || offset.writtenAtMs === 0 ? '-' : formatAge(nowMs - offset.writtenAtMs),
    first === null || last === null ? '(empty)' : `${shownKey(store, first)} .. ${shownKey(store, last)}`,
  ]
}

function segmentLines({ task }: InspectedTask, { name, segmented }: Store): string {
  const { segments, intervalMs, streamTimeMs } = segmented!
  const line = ({ segment, bytes, keys }: (typeof segments)[number]): string => {
    const from = segment < 0 ? 'latest' : `from ${formatTime(segment * intervalMs)}`
    return `  ${from}: ${keys === null ? '' : `${keys} keys, `}about ${formatBytes(bytes)}`
  }
  const shown =
    segments.length <= SEGMENTS_SHOWN
      ? segments.map(line)
      : [
          ...segments.slice(0, SEGMENTS_SHOWN / 2).map(line),
          `  ... ${segments.length - SEGMENTS_SHOWN} more`,
          ...segments.slice(-SEGMENTS_SHOWN / 2).map(line),
        ]
  const time = streamTimeMs < 0 ? 'no row yet' : `stream time ${formatTime(streamTimeMs)}`
  return [
    `task ${task}, store ${name}: ${time}, ${segments.length} segments of ${formatAge(intervalMs)}`,
    ...shown,
  ].join('\n')
}

/** As the task's folder says; one that does not say only shows whether rows are cut into segments. */
function kindOf({ name, layout, segmented }: Store): string {
  const kind = layout?.rows?.replace(/,.*/, '') ?? (segmented === null ? 'key-value' : 'segmented')
  return isLoadedName(name) ? `${kind}, loaded` : kind
}

/** Without its segment. */
function ownKey({ segmented }: Store, key: Buffer | null): Buffer | null {
  return key === null || segmented === null ? key : key.subarray(PREFIX_BYTES)
}

function textOrNull(bytes: Buffer): string | null {
  const text = bytes.toString('utf8')
  return /[\p{C}\uFFFD]/u.test(text) ? null : text
}

function shownKey(store: Store, bytes: Buffer): string {
  const shown = partsOf(store, bytes).map(shownBytes).join(' ')
  return shown.length <= KEY_CHARACTERS ? shown : `${shown.slice(0, KEY_CHARACTERS)}...`
}

/** Prefix and rest, where the store's keys are both; of what says that a prefix is here, the prefix alone. */
function partsOf({ layout }: Store, key: Buffer): Buffer[] {
  if (layout?.rows !== 'tiered-by-prefix' || !beginsWithFrame(key)) return [key]
  const middle = prefixFrameBytes(key)
  const prefix = prefixOfFrame(key.subarray(0, middle))
  return middle === key.length ? [prefix] : [prefix, key.subarray(middle)]
}

function shownBytes(bytes: Buffer): string {
  const text = textOrNull(bytes)
  return text === null ? `0x${bytes.toString('hex')}` : JSON.stringify(text)
}

/** 90 s, 5 min, 3 h, 2 days: the largest unit that there are two of. */
function formatAge(ms: number): string {
  for (const [unit, size] of [
    ['days', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const) {
    if (ms >= 2 * size) return `${Math.floor(ms / size)} ${unit}`
  }
  return `${Math.max(0, Math.floor(ms / 1_000))} s`
}

function formatTime(ms: number): string {
  const time = new Date(ms)
  return Number.isNaN(time.getTime()) ? `${ms} ms` : time.toISOString()
}
