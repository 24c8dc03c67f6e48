import rdkafka from 'node-rdkafka'

const timeoutMs = 30_000

function step(run: (done: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error ? reject(error as Error) : resolve())))
}

/** Writes values to partition 0 of a topic in a transaction and commits it: the partition then ends with its marker. */
export async function produceInTransaction(
  bootstrapServers: string,
  topic: string,
  values: readonly string[],
  timestamp: number,
): Promise<void> {
  const producer = new rdkafka.Producer({ 'bootstrap.servers': bootstrapServers, 'transactional.id': topic })
  await step((done) => producer.connect({ timeout: timeoutMs }, done))
  try {
    await step((done) => producer.initTransactions(timeoutMs, done))
    await step((done) => producer.beginTransaction(done))
    for (const value of values) producer.produce(topic, 0, Buffer.from(value), 'k', timestamp)
    await step((done) => producer.commitTransaction(timeoutMs, done))
  } finally {
    await step((done) => producer.disconnect(done))
  }
}

/** What `run` gives while a transaction is open that has written these values to partition 0 of a topic; then it is aborted. */
export async function whileTransactionIsOpen<T>(
  bootstrapServers: string,
  topic: string,
  values: readonly string[],
  run: () => Promise<T>,
): Promise<T> {
  const producer = new rdkafka.Producer({ 'bootstrap.servers': bootstrapServers, 'transactional.id': topic })
  await step((done) => producer.connect({ timeout: timeoutMs }, done))
  try {
    await step((done) => producer.initTransactions(timeoutMs, done))
    await step((done) => producer.beginTransaction(done))
    for (const value of values) producer.produce(topic, 0, Buffer.from(value), 'k')
    await step((done) => producer.flush(timeoutMs, done))
    const result = await run()
    await step((done) => producer.abortTransaction(timeoutMs, done))
    return result
  } finally {
    await step((done) => producer.disconnect(done))
  }
}
