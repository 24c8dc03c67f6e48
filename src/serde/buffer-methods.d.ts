/**
 * Node's encoders as methods of a Buffer: what `toString(encoding, start, end)` and `write(text, offset, encoding)` call after they have looked up the
 * encoding, at half of their cost on short strings. In every Node release; missing from its type declarations only.
 */
interface Buffer {
  utf8Slice(start: number, end: number): string
  latin1Slice(start: number, end: number): string
  utf8Write(text: string, offset: number): number
  latin1Write(text: string, offset: number): number
}
