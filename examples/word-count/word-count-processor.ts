import {
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  Topology,
} from '../../src/index.ts'
import { wordsOf } from './words.ts'

/** Makes a record of each word, with the word as its key. */
class WordSplitter implements Processor<string | null, string, string, string> {
  process(record: StreamRecord<string | null, string>, context: ProcessorContext<string, string>): void {
    for (const word of wordsOf(record.value)) {
      context.forward({ key: word, value: word, timestamp: record.timestamp, headers: record.headers })
    }
  }
}

/** Counts the records of each key. */
class WordCounter implements Processor<string, string, string, number> {
  #counts!: KeyValueStore<string, number>

  init(context: ProcessorContext<string, number>): void {
    this.#counts = context.stateStore('word-counts')
  }

  process(record: StreamRecord<string, string>, context: ProcessorContext<string, number>): void {
    const count = (this.#counts.get(record.key) ?? 0) + 1
    this.#counts.put(record.key, count)
    context.forward({ key: record.key, value: count, timestamp: record.timestamp, headers: record.headers })
  }
}

/**
 * Words of one kind have to meet in one task, whichever line they stand in: they go through the topic
 * `words`, which is partitioned by its key. (The DSL makes such a topic by itself.)
 */
export default new Topology()
  .addSource('lines', { topics: 'lines', key: serdes.string, value: serdes.string })
  .addProcessor('splitter', () => new WordSplitter(), { parents: 'lines' })
  .addSink('to-words', { parents: 'splitter', topic: 'words', key: serdes.string, value: serdes.string })
  .addSource('words', { topics: 'words', key: serdes.string, value: serdes.string })
  // The store is read by the record's key: its rows are fetched before their records are processed, a batch
  // at a time.
  .addProcessor('counter', () => new WordCounter(), { parents: 'words' })
  .addStateStore(stores.keyValue({ name: 'word-counts', key: serdes.string, value: serdes.int64 }), 'counter')
  .addSink('to-word-counts', {
    parents: 'counter',
    topic: 'word-counts',
    key: serdes.string,
    value: serdes.int64,
  })
