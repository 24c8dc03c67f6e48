/** An order, and the price that it refers to, as JSON schemas and as .proto files. */
import type { SchemaReference } from '../../src/index.ts'

export const priceSchema = {
  type: 'object',
  properties: { cents: { type: 'integer' } },
  required: ['cents'],
}
export const orderSchema = {
  title: 'Order',
  type: 'object',
  properties: { id: { type: 'integer', minimum: 1 }, price: { $ref: 'price.json' } },
  required: ['id', 'price'],
}

export const priceProto = `syntax = "proto3";
package shop;

message Price {
  int64 cents = 1;
}
`
export const orderProto = `syntax = "proto3";
package shop;

import "price.proto";

message Customer {
  string name = 1;
}
message Order {
  int32 id = 1;
  Price price = 2;
}
`

/** @param prefix of the subjects */
export function orderReferences(prefix: string): Record<'json' | 'protobuf', SchemaReference> {
  return {
    json: { name: 'price.json', subject: `${prefix}price-json`, version: 1 },
    protobuf: { name: 'price.proto', subject: `${prefix}price-protobuf`, version: 1 },
  }
}
