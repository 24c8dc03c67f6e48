import type { ErrorObject } from 'ajv'

/** What a value is not as its schema has it, a line for each place: `spec.replicas must be integer`. */
export function schemaErrors(errors: readonly ErrorObject[]): string[] {
  const lines = errors.map(({ instancePath, message, params }) => {
    const { additionalProperty, allowedValues } = params as {
      additionalProperty?: string
      allowedValues?: readonly unknown[]
    }
    const place = instancePath === '' ? 'it' : instancePath.slice(1).replaceAll('/', '.')
    const detail = additionalProperty ?? allowedValues?.join(', ')
    return `${place} ${message}${detail === undefined ? '' : `: ${detail}`}`
  })
  return [...new Set(lines)]
}
