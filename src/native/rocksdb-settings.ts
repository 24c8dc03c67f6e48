/** Settings of a database, of its families or of their block-based tables, by RocksDB's names, in RocksDB's syntax. */
export type RocksDbSettings = Readonly<Record<string, string>>

export interface RocksDbSetting {
  readonly name: string
  readonly scope: 'database' | 'family' | 'table'
  /** RocksDB's own default, as it writes it down. */
  readonly rocksdbDefault: string
}
