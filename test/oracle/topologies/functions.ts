/** What operators are given: the same functions are in RunTopologies.java. */

export type Value = string | number | null

export function shown(value: Value): string {
  return String(value)
}

function sum(text: string): number {
  let total = 0
  for (let index = 0; index < text.length; index++) total += text.charCodeAt(index)
  return total
}

function cut(text: string): string {
  return text.slice(-6)
}

export function keeps(n: number, key: Value, value: Value): boolean {
  return (sum(shown(key) + shown(value)) + n) % 3 !== 0
}

export function newKey(n: number, key: Value, value: Value): string | null {
  const total = sum(shown(key) + shown(value)) + n
  return total % 6 === 0 ? null : `k${total % 4}`
}

export function newValue(n: number, value: Value): string | null {
  return (sum(shown(value)) + n) % 5 === 0 ? null : cut(shown(value) + n)
}

export function several(n: number, value: Value): string[] {
  const count = (sum(shown(value)) + n) % 4
  return Array.from({ length: count }, (_, index) => cut(shown(value) + index))
}

export function combine(n: number, aggregate: Value, value: Value): Value {
  if (typeof aggregate === 'number') {
    const total = aggregate + (value as number)
    return total % 7 === n ? null : total
  }
  const text = cut(shown(aggregate) + shown(value))
  return (sum(text) + n) % 7 === 0 ? null : text
}

export function joined(n: number, left: Value, right: Value, key: Value): string | null {
  const text = shown(left) + shown(right) + shown(key)
  return (sum(text) + n) % 9 === 0 ? null : cut(text)
}
