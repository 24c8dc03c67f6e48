import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { describeModule } from '../../../src/cli/describe-command.ts'
import { topologySvg } from '../../../src/cli/topology-svg.ts'
import { topologyGraph } from '../../../src/topology/topology-graph.ts'
import { topologies } from '../topology/described-topologies.ts'

const wordCount = fileURLToPath(new URL('../../../examples/word-count/word-count.ts', import.meta.url))

/** A few of the random ones are enough. */
const drawn = Object.entries(topologies).filter(([name]) => !/^random-\d\d/.test(name))

/** Throws unless every element is closed, in order, and no character stands where XML needs an entity. @returns the texts, as read */
function textsOf(xml: string): string[] {
  const open: string[] = []
  const texts: string[] = []
  let at = 0
  for (const found of xml.matchAll(/<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>/g)) {
    const text = xml.slice(at, found.index)
    assert.doesNotMatch(text, /[<>]|&(?!(amp|lt|gt|quot);)/, 'text is escaped')
    if (open.at(-1) === 'text') texts.push(text)
    else assert.match(text, /^\s*$/, 'text stands in text elements only')
    const [, slash, name, , selfClosing] = found
    if (slash === '/') assert.equal(open.pop(), name)
    else if (selfClosing === '') open.push(name!)
    at = found.index + found[0].length
  }
  assert.match(xml.slice(at), /^\s*$/)
  assert.deepEqual(open, [])
  return texts.map((text) =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
  )
}

describe('describe', () => {
  for (const [name, make] of drawn) {
    test(`the picture of ${name} is XML and has every node, store and topic once`, () => {
      const graph = topologyGraph(make().build())
      const expected = [
        ...graph.subtopologies.flatMap(({ id, nodes, stores }) => [
          `Sub-topology ${id}`,
          ...[...nodes, ...stores].map((part) => part.name),
        ]),
        ...graph.subtopologies.flatMap(({ nodes }) =>
          nodes.flatMap((node) => (node.kind === 'source' && node.pattern !== null ? [node.pattern] : [])),
        ),
        ...graph.topics.filter(({ kind }) => kind !== 'changelog').map((topic) => topic.name),
      ]
      assert.deepEqual(textsOf(topologySvg(graph)).sort(), expected.sort())
    })
  }

  test('names that XML has no room for are escaped', () => {
    const graph = {
      subtopologies: [
        {
          id: 0,
          nodes: [
            {
              kind: 'source',
              name: 'a <b> & "c"',
              predecessors: [],
              successors: [],
              topics: ['t'],
              pattern: null,
              offsetReset: null,
            },
          ],
          stores: [],
        },
      ],
      topics: [{ name: 't', kind: 'external' }],
    } as const
    assert.deepEqual(textsOf(topologySvg(graph)).sort(), ['Sub-topology 0', 'a <b> & "c"', 't'])
  })

  test('boxes do not lie upon each other', () => {
    for (const [, make] of drawn) {
      const svg = topologySvg(topologyGraph(make().build()))
      const boxes = [...svg.matchAll(/<g class="\w+"><rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)"/g)]
      const spans = boxes.map(([, x, y, width]) => ({ left: Number(x), y: Number(y), width: Number(width) }))
      for (const one of spans) {
        for (const other of spans) {
          if (one === other || Math.abs(one.y - other.y) >= 30 || other.left < one.left) continue
          assert.ok(other.left >= one.left + one.width, JSON.stringify([one, other]))
        }
      }
    }
  })

  test('as JSON: the word count', async () => {
    const graph = JSON.parse(await describeModule(wordCount, 'json')) as ReturnType<typeof topologyGraph>
    assert.deepEqual(graph.topics, [
      { name: 'lines', kind: 'external' },
      { name: 'word-counts-repartition', kind: 'repartition' },
      { name: 'word-counts', kind: 'external' },
      { name: 'word-counts-changelog', kind: 'changelog' },
    ])
    assert.deepEqual(
      graph.subtopologies.map(({ id, nodes }) => [id, nodes.length]),
      [
        [0, 5],
        [1, 4],
      ],
    )
    assert.deepEqual(graph.subtopologies[1]!.stores, [
      {
        name: 'word-counts',
        type: 'timestamped-key-value',
        inMemory: false,
        caching: false,
        changelog: 'word-counts-changelog',
      },
    ])
    assert.deepEqual(graph.subtopologies[1]!.nodes[1], {
      kind: 'processor',
      name: graph.subtopologies[1]!.nodes[0]!.successors[0],
      predecessors: ['word-counts-repartition-source'],
      successors: [graph.subtopologies[1]!.nodes[2]!.name],
      stores: ['word-counts'],
    })
  })

  test('as WEIR_TOPOLOGY_OPTIMIZATION says', async () => {
    const index = new URL('../../../src/index.ts', import.meta.url).href
    const path = join(mkdtempSync(join(tmpdir(), 'weir-describe-')), 'table.ts')
    writeFileSync(
      path,
      `import { defineTopology, serdes } from ${JSON.stringify(index)}
const text = { key: serdes.string, value: serdes.string }
export default defineTopology((builder) => builder.table('rows', { ...text, store: 'kept' }).toStream().to('out'))
`,
    )
    const changelogOf = async (optimization: string): Promise<unknown> => {
      const graph = JSON.parse(await describeModule(path, 'json', optimization))
      return graph.subtopologies[0].stores[0].changelog
    }
    assert.equal(await changelogOf('none'), 'kept-changelog')
    assert.equal(await changelogOf('reuse.ktable.source.topics'), 'rows')
    await assert.rejects(describeModule(path, 'text', 'most'), {
      message:
        'WEIR_TOPOLOGY_OPTIMIZATION=most: expected none, all, or a list of reuse.ktable.source.topics, merge.repartition.topics, single.store.self.join',
    })
  })
})
