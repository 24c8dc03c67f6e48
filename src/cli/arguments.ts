/** What the commands' arguments and options are made of. */
import { InvalidArgumentError } from 'commander'

export function topicNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => !/^[A-Za-z0-9._-]{1,249}$/.test(name)))
    throw new InvalidArgumentError("Expected topics' names, separated by commas.")
  return names
}

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > Number.MAX_SAFE_INTEGER) {
    throw new InvalidArgumentError('Expected an integer of at least 1.')
  }
  return value
}

/** From a tenth of a second to an hour. */
export function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.1 || value > 3_600) {
    throw new InvalidArgumentError('Expected seconds, from 0.1 to 3600.')
  }
  return value
}
