/** A range of rows, copied out in chunks. Closed by `close` or the database's end. */
export interface Scan {
  /** Copies the next rows into `out`. @param columns Int32[4][capacity]: keyStart, keyLength, valueStart, valueLength.
   * @returns twice how many, and 1 more when there are none behind them; -n when the next row needs n bytes and `out` has fewer. */
  next(out: Buffer, columns: Int32Array, capacity: number): number
  /** Begins anew at another range of the same store, closed or not, and copies its first rows as `next` does. */
  restart(
    from: Buffer | null,
    to: Buffer | null,
    reverse: boolean,
    out: Buffer,
    columns: Int32Array,
    capacity: number,
  ): number
  /** Ends the scan. What it has read with is kept for `restart` until the database's next drain. */
  close(): void
}
