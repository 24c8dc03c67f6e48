/** One sample of Prometheus' text. */
export interface MetricSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/
const labelPart = /\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)/y
const numbers: Readonly<Record<string, number>> = {
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
  // prom-client's.
  Nan: Number.NaN,
}
const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' }

/**
 * Reads Prometheus' text format, 0.0.4: samples with labels; comments and times are passed over.
 *
 * @throws SyntaxError for a line that is no sample
 */
export function parseSamples(text: string): MetricSample[] {
  const samples: MetricSample[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, name, labels, number = ''] = sampleLine.exec(line) ?? []
    const value = numbers[number] ?? Number(number)
    if (name === undefined || (Number.isNaN(value) && !(number in numbers))) throw notASample(line)
    samples.push({ name, labels: labels === undefined ? {} : parseLabels(labels.trim(), line), value })
  }
  return samples
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelPart.lastIndex = 0
  while (labelPart.lastIndex < text.length) {
    const part = labelPart.exec(text)
    if (part === null) throw notASample(line)
    labels[part[1]!] = part[2]!.replace(/\\[n"\\]/g, (escaped) => escapes[escaped]!)
  }
  return labels
}

function notASample(line: string): SyntaxError {
  return new SyntaxError(`not a sample of Prometheus' text: ${line.slice(0, 100)}`)
}
