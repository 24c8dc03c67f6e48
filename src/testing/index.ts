/** What tests of a topology need: `weir/testing`. */
export { LocalSchemaRegistry } from '../schema-registry/local-schema-registry.ts'
export type { TestRow } from './local-tables.ts'
export { type TestInputRecord, TestInputTopic, type TestInputTopicOptions } from './test-input-topic.ts'
export { TestOutputTopic, type TestOutputTopicOptions, type TestRecord } from './test-output-topic.ts'
export { type TestDriverOptions, TopologyTestDriver } from './topology-test-driver.ts'
