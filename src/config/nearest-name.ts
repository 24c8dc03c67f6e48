/**
 * What was probably meant by `name`: the name that has all of its words and some more (NUM_THREADS, NUM_STREAM_THREADS), else the one with the
 * fewest edits, when they are few enough for a slip of the keyboard.
 */
export function nearestName(name: string, known: readonly string[]): string | null {
  const words = name.split('_')
  const longer = known.find((candidate) => words.every((word) => candidate.split('_').includes(word)))
  if (longer !== undefined && words.length > 2) return longer
  let nearest: string | null = null
  let fewest = Math.max(3, Math.floor(name.length / 4)) + 1
  for (const candidate of known) {
    const edits = editDistance(name, candidate)
    if (edits < fewest) {
      fewest = edits
      nearest = candidate
    }
  }
  return nearest
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(previous, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, at(previous, column) + 1, at(current, column - 1) + 1))
    }
    previous = current
  }
  return at(previous, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
