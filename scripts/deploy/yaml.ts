import { parseAllDocuments } from 'yaml'

/** The documents of a YAML file, or what makes it none. */
export function parseYaml(
  file: string,
  text: string,
): { readonly documents: readonly unknown[]; readonly problems: readonly string[] } {
  const parsed = parseAllDocuments(text)
  const documents = 'empty' in parsed ? [] : parsed
  // A key that is there twice is among the errors.
  const problems = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])
  return {
    documents: problems.length > 0 ? [] : documents.map((document) => document.toJS() as unknown),
    problems: problems.map(({ message }) => `${file}: ${message.split('\n')[0]}`),
  }
}

/** The value at a path of keys; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string | number, unknown>)[key]
  }
  return found
}
