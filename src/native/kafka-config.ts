/** librdkafka's configuration, string to string, as in its CONFIGURATION.md. */
export type ClientConfig = Readonly<Record<string, string>>
