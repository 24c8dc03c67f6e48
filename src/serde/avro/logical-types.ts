/** What the logical types of Avro's specification are in JavaScript; docs/avro.md has the table. */
import {
  type AvscFixedType,
  type AvscLogicalType,
  type AvscParseOptions,
  type AvscResolver,
  type AvscType,
  avscTypes,
  isLogical,
} from './avsc-type.ts'
import { isInt64 } from './exact-types.ts'
import type { ReadTap } from './read-tap.ts'
import { type WriteTap, writeBigLong } from './write-tap.ts'

/** A logical type with the attributes of the schema that it was made from. */
type LogicalSchema = { readonly logicalType: string; readonly [attribute: string]: unknown }

type Hook = (value: unknown, type: AvscType) => void

/**
 * What all have in common: a writer's schema is read through the underlying types, with what Avro promotes (int as long), but never one unit as
 * another: a number of microseconds is no number of milliseconds.
 */
abstract class ConvertedType extends avscTypes.LogicalType {
  readonly schema: LogicalSchema

  constructor(schema: unknown, options?: AvscParseOptions) {
    super(schema, options)
    this.schema = schema as LogicalSchema
    this.checkSchema(this.schema)
  }

  /** @throws Error for attributes, or an underlying type, that the specification does not have: then the schema is read as if it had no logical type */
  protected abstract checkSchema(schema: LogicalSchema): void

  /** The value from what the underlying type reads. */
  abstract _fromValue(raw: unknown): unknown

  /** What the underlying type writes; undefined for what is no value of this type. */
  abstract _toValue(value: unknown): unknown

  protected is(...typeNames: readonly string[]): boolean {
    return typeNames.includes(this.underlyingType.typeName)
  }

  override _read(tap: ReadTap): unknown {
    return this._fromValue(this.underlyingType._read(tap))
  }

  override _write(tap: WriteTap, value: unknown): void {
    const raw = this._toValue(value)
    if (raw === undefined) throw new TypeError('no value of a logical type')
    this.underlyingType._write(tap, raw)
  }

  override _check(value: unknown, flags?: number, hook?: Hook): boolean {
    const raw = this._toValue(value)
    const isValue = raw !== undefined && this.underlyingType._check(raw, flags)
    if (!isValue) hook?.(value, this)
    return isValue
  }

  override _update(resolver: Partial<AvscResolver>, writer: AvscType, options: object): void {
    let raw = writer
    if (isLogical(writer)) {
      if (!this.reads(writer)) return
      raw = writer.underlyingType
    }
    const underlying = this.underlyingType.createResolver(raw, options)
    resolver._read = (tap) => this._fromValue(underlying._read(tap))
  }

  /** Whether a writer's logical type means the same. */
  protected reads(writer: AvscLogicalType): boolean {
    return writer.typeName === this.typeName
  }

  _export(schema: Record<string, unknown>): void {
    for (const [attribute, value] of Object.entries(this.schema))
      if (!(attribute in schema)) schema[attribute] = value
  }
}

/** A number of days, or of units of time: `date`, `time-*`, `timestamp-*`. Its values are those of the underlying int or long. */
abstract class UnitType extends ConvertedType {
  override _fromValue(raw: unknown): unknown {
    return raw
  }

  override _toValue(value: unknown): unknown {
    return this.underlyingType._check(value) ? value : undefined
  }

  override _read(tap: ReadTap): unknown {
    return this.underlyingType._read(tap)
  }
}

class IntUnitType extends UnitType {
  protected override checkSchema(): void {
    if (!this.is('int')) throw new Error('an int is expected')
  }
}

class LongUnitType extends UnitType {
  protected override checkSchema(): void {
    if (!this.is('long', 'abstract:long')) throw new Error('a long is expected')
  }
}

/** Nanoseconds since 1970 do not fit into a number: a bigint. */
class NanosType extends LongUnitType {
  override _read(tap: ReadTap): bigint {
    return tap.readBigLong()
  }

  override _write(tap: WriteTap, value: unknown): void {
    if (!isInt64(value)) throw new TypeError('no bigint of 64 bits')
    writeBigLong(tap, value)
  }

  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    const isLong = isInt64(value)
    if (!isLong) hook?.(value, this)
    return isLong
  }

  override _copy(value: unknown, options?: { coerce?: number }): unknown {
    if (options?.coerce === 2) return BigInt(value as number)
    return options?.coerce === 3 ? Number(value) : value
  }

  override _update(resolver: Partial<AvscResolver>, writer: AvscType): void {
    const raw = isLogical(writer) ? (this.reads(writer) ? writer.underlyingType : null) : writer
    if (raw !== null && ['int', 'long', 'abstract:long'].includes(raw.typeName))
      resolver._read = (tap) => tap.readBigLong()
  }
}

/** Bytes of a decimal, if its precision does not need more: the text of one of a megabyte would take seconds. */
const DECIMAL_BYTES_MAX = 1_024
const BITS_PER_DIGIT = Math.log2(10)
const DECIMAL = /^[+-]?\d+(?:\.(\d+))?$/

/** `decimal`: its text, with as many digits after the point as the schema's scale: exact, which a number would not be. */
class DecimalType extends ConvertedType {
  // Set while the constructor runs: an initial value would come after it.
  declare precision: number
  declare scale: number

  protected override checkSchema({ precision, scale = 0 }: LogicalSchema): void {
    if (!this.is('bytes', 'fixed')) throw new Error('bytes or a fixed is expected')
    if (!isCount(precision) || precision < 1) throw new Error('the precision is a number from 1')
    if (!isCount(scale) || scale > precision) throw new Error('the scale is a number from 0 to the precision')
    this.precision = precision
    this.scale = scale
  }

  override _fromValue(raw: unknown): string {
    const { length } = raw as Buffer
    if (length > DECIMAL_BYTES_MAX && length > (this.precision * BITS_PER_DIGIT) / 8 + 1)
      throw new RangeError(`a decimal of ${length} bytes`)
    const unscaled = fromTwosComplement(raw as Buffer)
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(this.scale + 1, '0')
    const point = digits.length - this.scale
    const sign = unscaled < 0n ? '-' : ''
    return this.scale === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
  }

  override _toValue(value: unknown): unknown {
    if (typeof value !== 'string') return undefined
    const fraction = DECIMAL.exec(value)
    if (fraction === null) return undefined
    const decimals = fraction[1]?.length ?? 0
    if (decimals > this.scale) return undefined
    const unscaled = BigInt(value.replace('.', '').replace('+', '') + '0'.repeat(this.scale - decimals))
    if (String(unscaled < 0n ? -unscaled : unscaled).length > this.precision) return undefined
    const { size } = this.underlyingType as Partial<AvscFixedType>
    return toTwosComplement(unscaled, size)
  }

  protected override reads(writer: AvscLogicalType): boolean {
    return writer instanceof DecimalType && writer.scale === this.scale
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function fromTwosComplement(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

/** Big-endian. @param size bytes; as few as hold it when not given. @returns undefined when it does not fit */
function toTwosComplement(value: bigint, size?: number): Buffer | undefined {
  const magnitude = value < 0n ? -value - 1n : value
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length
  // One more bit is the sign's.
  const bytesMin = Math.floor(bits / 8) + 1
  const bytes = size ?? bytesMin
  if (bytesMin > bytes) return undefined
  const hex = BigInt.asUintN(bytes * 8, value).toString(16)
  return Buffer.from(hex.padStart(bytes * 2, '0'), 'hex')
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** `uuid`: its text, in a string or in 16 bytes. */
class UuidType extends ConvertedType {
  protected override checkSchema(): void {
    const { size } = this.underlyingType as Partial<AvscFixedType>
    if (!this.is('string') && !(this.is('fixed') && size === 16))
      throw new Error('a string or a fixed of 16 bytes is expected')
  }

  override _fromValue(raw: unknown): unknown {
    if (typeof raw === 'string') return raw
    const hex = (raw as Buffer).toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }

  override _toValue(value: unknown): unknown {
    if (typeof value !== 'string' || !UUID.test(value)) return undefined
    return this.is('string') ? value : Buffer.from(value.replaceAll('-', ''), 'hex')
  }
}

/** What a `duration` is made of; each a whole number from 0 to 2^32 - 1. */
export interface AvroDuration {
  readonly months: number
  readonly days: number
  readonly milliseconds: number
}

class DurationType extends ConvertedType {
  protected override checkSchema(): void {
    if (!this.is('fixed') || (this.underlyingType as AvscFixedType).size !== 12)
      throw new Error('a fixed of 12 bytes is expected')
  }

  override _fromValue(raw: unknown): AvroDuration {
    const bytes = raw as Buffer
    return {
      months: bytes.readUInt32LE(0),
      days: bytes.readUInt32LE(4),
      milliseconds: bytes.readUInt32LE(8),
    }
  }

  override _toValue(value: unknown): unknown {
    const { months, days, milliseconds } = (value ?? {}) as Partial<AvroDuration>
    const bytes = Buffer.alloc(12)
    for (const [index, part] of [months, days, milliseconds].entries()) {
      if (!isCount(part) || part > 0xffffffff) return undefined
      bytes.writeUInt32LE(part, index * 4)
    }
    return bytes
  }
}

/** What a value of a logical type is in JavaScript, for what a union of it and others is. */
export const logicalKinds: ReadonlyMap<string, 'number' | 'bigint' | 'string' | 'object'> = new Map([
  ['date', 'number'],
  ['time-millis', 'number'],
  ['time-micros', 'number'],
  ['timestamp-millis', 'number'],
  ['timestamp-micros', 'number'],
  ['local-timestamp-millis', 'number'],
  ['local-timestamp-micros', 'number'],
  ['timestamp-nanos', 'bigint'],
  ['local-timestamp-nanos', 'bigint'],
  ['decimal', 'string'],
  ['uuid', 'string'],
  ['duration', 'object'],
])

export const logicalTypes = {
  date: IntUnitType,
  'time-millis': IntUnitType,
  'time-micros': LongUnitType,
  'timestamp-millis': LongUnitType,
  'timestamp-micros': LongUnitType,
  'local-timestamp-millis': LongUnitType,
  'local-timestamp-micros': LongUnitType,
  'timestamp-nanos': NanosType,
  'local-timestamp-nanos': NanosType,
  decimal: DecimalType,
  uuid: UuidType,
  duration: DurationType,
} as const
