const DELAY_MS_MIN = 100
const DELAY_MS_MAX = 5_000

/** How long tasks wait before they begin again: not at all after the first failure since a commit, then growing. */
export function restartDelayMs(failures: number): number {
  return failures <= 1 ? 0 : Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** (failures - 2))
}
