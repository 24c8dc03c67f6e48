const REPLACEMENT = '\uFFFD'

/**
 * The text in `buffer[start, end)`. Throws for bytes that are not UTF-8, where Java's StringDeserializer puts U+FFFD: two different keys must
 * not become the same one.
 */
export function decodeUtf8(buffer: Buffer, start: number, end: number): string {
  const text = buffer.utf8Slice(start, end)
  // The character may be there in its own right: then the text has these very bytes.
  if (text.includes(REPLACEMENT) && buffer.compare(Buffer.from(text), 0, undefined, start, end) !== 0) {
    throw new TypeError('the bytes are not UTF-8')
  }
  return text
}
