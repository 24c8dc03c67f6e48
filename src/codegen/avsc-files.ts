/** .avsc files, which may use each other's names. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

import { messageOf, WeirError } from '../errors/weir-error.ts'
import { type Longs, parseAvro } from '../serde/avro/avro-schema.ts'
import type { SchemaJson } from '../serde/avro/avsc-type.ts'
import { fullNameOf, jsonOf, textOfJson } from '../serde/avro/schema-json.ts'
import { exactIntegers } from '../serde/exact-json.ts'
import type { AvroSource } from './avro-types.ts'

interface AvscFile {
  readonly path: string
  readonly schema: SchemaJson
}

/**
 * Reads the files, and finds for each one which others have the names that it uses.
 *
 * @throws WeirError config-invalid for a file that cannot be read, and for what is no schema
 */
export function readAvscFiles(paths: readonly string[], longs: Longs): AvroSource[] {
  const files = paths.map(readAvsc)
  const byName = new Map<string, AvscFile>()
  for (const file of files) {
    const name = fullNameOf(file.schema)
    if (name === undefined) continue
    const other = byName.get(name)
    if (other !== undefined) throw invalid(`${other.path} and ${file.path} both have ${name}`)
    byName.set(name, file)
  }
  return files.map((file) => ({
    origin: basename(file.path),
    schema: file.schema,
    references: usedBy(file, byName, longs, []).map(({ schema }) => textOfJson(schema)),
    fallbackName: basename(file.path).replace(/\.[^.]*$/, ''),
  }))
}

function readAvsc(path: string): AvscFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw invalid(`${path}: cannot be read: ${messageOf(error)}`, error)
  }
  try {
    return { path, schema: jsonOf(JSON.parse(text, exactIntegers) as SchemaJson) }
  } catch (error) {
    throw invalid(`${path}: no JSON: ${messageOf(error)}`, error)
  }
}

/**
 * The files whose names a file uses, each after those that it uses itself.
 *
 * @param users the files that led here
 */
function usedBy(
  file: AvscFile,
  byName: ReadonlyMap<string, AvscFile>,
  longs: Longs,
  users: readonly AvscFile[],
): AvscFile[] {
  if (users.includes(file))
    throw invalid(`${file.path} and ${users.at(-1)!.path} use each other's names: put them into one file`)
  const used: AvscFile[] = []
  for (;;) {
    try {
      parseAvro(
        file.schema,
        used.map(({ schema }) => textOfJson(schema)),
        longs,
      )
      return used
    } catch (error) {
      const name = /undefined type name: (\S+)/.exec(messageOf(error))?.[1]
      const other = byName.get(name ?? '')
      if (other === undefined || used.includes(other))
        throw invalid(`${file.path}: ${messageOf(error)}`, error)
      for (const one of [...usedBy(other, byName, longs, [...users, file]), other])
        if (!used.includes(one)) used.push(one)
    }
  }
}

function invalid(what: string, cause?: unknown): WeirError {
  return new WeirError('config-invalid', what, { cause })
}
