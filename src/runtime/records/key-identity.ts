/**
 * Text that is the same for equal keys. Different keys may have the same: their records are then kept in order, too, which is never wrong. Of objects the own
 * enumerable properties count.
 */
export function keyIdentity(key: unknown): string {
  if (typeof key === 'string') return key
  return typeof key === 'object' ? JSON.stringify(plain(key)) : String(key)
}

/** Of values that JSON knows, with properties in one order. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
  if (value instanceof Date) return value.getTime()
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return Array.from(value, plain)
  const properties = Object.entries(value).filter(([, of]) => of !== undefined)
  return properties.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, of]) => [name, plain(of)])
}
