/** Writes each value of PASS_TOPIC on to `<PASS_TOPIC>-out`, through the serde that PASS_SERDE names. */
import { defineTopology, type Serde, serdes } from '../../../src/index.ts'

const valueSerdes: Readonly<Record<string, Serde<never>>> = {
  int32: serdes.int32 as Serde<never>,
  int64: serdes.int64 as Serde<never>,
  float64: serdes.float64 as Serde<never>,
  json: serdes.json<never>(),
  /** length(1) bytes: reads as many bytes as the value says, as a decoder for Avro does. */
  custom: serdes.custom<Buffer>({
    name: 'length-prefixed',
    serialize: (value) => Buffer.concat([Buffer.of(value.length), value]),
    deserialize(bytes) {
      const value = Buffer.alloc(bytes.readUInt8(0))
      for (let index = 0; index < value.length; index++) value[index] = bytes.readUInt8(1 + index)
      return value
    },
  }) as Serde<never>,
}

const topic = process.env.PASS_TOPIC!
const value = valueSerdes[process.env.PASS_SERDE!]!

export default defineTopology((builder) => {
  builder
    .stream(topic, { key: serdes.string, value })
    .mapValues((value) => value)
    .to(`${topic}-out`, { key: serdes.string, value })
})
