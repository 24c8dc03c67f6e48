/** A topic of the run by its role: `input`, `output`, ... */
export function topic(role: string): string {
  const variable = `WEIR_BENCH_${role.toUpperCase()}_TOPIC`
  const name = process.env[variable]
  if (!name) throw new Error(`${variable} is not set`)
  return name
}
