/** .proto files, as protobufjs parses them. */
import { createRequire } from 'node:module'

import type { NamespaceBase, Root, Type } from 'protobufjs'

import { messageOf } from '../../errors/weir-error.ts'
import type { NamedSchema } from '../schema-source.ts'

/** Loaded by the first schema: that takes tens of ms in each thread, and few processes have any. */
const load = createRequire(import.meta.url)
export const protobufjs = (): typeof import('protobufjs') => load('protobufjs') as typeof import('protobufjs')

/** Names as they stand in the file. */
const PARSE_OPTIONS = { keepCase: true } as const

/** A message of a file, and the indexes that lead to it. */
export interface FileMessage {
  /** `shop.Order.Line` */
  readonly name: string
  readonly indexes: readonly number[]
}

/** All messages of a file, in its order, those of a message after it. @throws Error with one line */
export function messagesOf(text: string): FileMessage[] {
  const { Root } = protobufjs()
  const root = new Root()
  const { package: packageName } = parse(text, root)
  const found: FileMessage[] = []
  collect(packageName === undefined ? root : root.lookup(packageName), [], found)
  return found
}

function collect(within: unknown, indexes: readonly number[], found: FileMessage[]): void {
  const { Type } = protobufjs()
  // A group of proto2 is a field with a type of its own: Confluent's indexes do not count it.
  const types = (within as NamespaceBase).nestedArray.filter(
    (one) => one instanceof Type && (one as { group?: boolean }).group !== true,
  ) as Type[]
  for (const [index, type] of types.entries()) {
    const own = [...indexes, index]
    found.push({ name: nameOf(type), indexes: own })
    collect(type, own, found)
  }
}

/** `shop.Order` */
export function nameOf(type: Type): string {
  return type.fullName.replace(/^\./, '')
}

/**
 * A message with all that it is made of.
 *
 * @param references the files that are imported, by the names that the imports have
 * @throws Error with one line
 */
export function typeOf(text: string, references: readonly NamedSchema[], message: string): Type {
  const { Root, common } = protobufjs()
  const root = new Root()
  const files = new Map(references.map(({ name, schema }) => [name, schema]))
  const imported = new Set<string>()
  const add = (name: string, file: string): void => {
    for (const next of parse(file, root).imports ?? []) {
      if (imported.has(next)) continue
      imported.add(next)
      const reference = files.get(next)
      const known = common.get(next)
      if (reference !== undefined) add(next, reference)
      else if (known?.nested) root.addJSON(known.nested)
      else throw new Error(`no Protobuf schema: ${name} imports ${next}, which is not among its references`)
    }
  }
  add('it', text)
  try {
    root.resolveAll()
    return root.lookupType(message)
  } catch (error) {
    throw new Error(`no Protobuf schema: ${messageOf(error)}`, { cause: error })
  }
}

function parse(text: string, root: Root): ReturnType<typeof import('protobufjs').parse> {
  try {
    return protobufjs().parse(text, root, PARSE_OPTIONS)
  } catch (error) {
    throw new Error(`no Protobuf schema: ${messageOf(error)}`, { cause: error })
  }
}
