import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { murmur3Hash128 } from '../../../../src/process/operators/murmur3.ts'

/** What Kafka Streams' Murmur3.hash128 says of so many bytes: 200, 237, 274, ... modulo 256. */
const HASHES: readonly (readonly [number, string])[] = [
  [0, '9d2764a018e329428c3cf3b035938518'],
  [1, 'bff2166f25d4e3caad76f90042c32eb7'],
  [3, 'b02c9dcb0b188cb7261d276514956649'],
  [7, 'e2c12aaa37615c8d78e8fff449acd2e3'],
  [8, '5376fe5d8752a4802bcfb922970c534c'],
  [9, 'b79cc91e67eb164f7285936d18b5c4c8'],
  [15, '8541440932df88a8133781906f758397'],
  [16, '3b1ca826ba2a8ab100ff368af7e15570'],
  [17, '14606ec89b0c68c720e38f08a941bbdf'],
  [24, '51113554edd27de75501bcf9acda8270'],
  [31, '0fc8bff6b4d635a2db8b6c0ce90a3cd8'],
  [32, '271fc7adca25c66d69f499a2c53fd088'],
  [33, 'c811ac0257c06b43de4815d1c281354e'],
  [100, 'ac5e6f34f01858a4773258770366c397'],
]

describe('murmur3', () => {
  for (const [length, hash] of HASHES) {
    test(`${length} bytes`, () => {
      const bytes = Buffer.from(Array.from({ length: length + 5 }, (_, index) => (index - 3) * 37 + 200))
      assert.equal(murmur3Hash128(bytes, 3, 3 + length).toString('hex'), hash)
    })
  }
})
