import { messageOf } from '../../errors/weir-error.ts'
import type { AvscResolver } from './avsc-type.ts'
import { isTooDeep, TOO_DEEP } from './invalid-value.ts'
import { ReadTap } from './read-tap.ts'

const tap = new ReadTap()
/** What V8 says where avsc meets bytes that it does not expect. */
const UNEXPECTED = /^Cannot read propert/
/** What avsc says of a symbol that is read through a resolver, which has no name. */
const NAMELESS_ENUM = /^invalid undefined enum index/

/** Reads the value in `buffer[start, end)`. @throws Error with one line when it is no such value, or ends elsewhere */
export function readAvro(reader: AvscResolver, buffer: Buffer, start: number, end: number): unknown {
  tap.begin(buffer, start, end)
  let value: unknown
  try {
    value = reader._read(tap)
  } catch (error) {
    throw whyUnreadable(error)
  }
  if (tap.pos !== end) throw new RangeError(`the value ends ${end - tap.pos} bytes before its end`)
  return value
}

function whyUnreadable(error: unknown): unknown {
  const message = messageOf(error)
  if (isTooDeep(error)) return new RangeError(TOO_DEEP, { cause: error })
  if (error instanceof TypeError && UNEXPECTED.test(message))
    return new TypeError("the bytes do not fit the writer's schema", { cause: error })
  if (NAMELESS_ENUM.test(message))
    return new RangeError(message.replace('undefined enum', 'enum'), { cause: error })
  return error
}
