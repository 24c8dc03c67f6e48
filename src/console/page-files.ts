import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'

/** A file that is served, and as what. */
export interface PageFile {
  /** Below /console/. */
  readonly path: string
  readonly type: string
  readonly content: Buffer
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Of lit-html: what the page imports, and what that imports. */
const litHtml = ['lit-html.js', 'directive.js', 'directive-helpers.js', 'directives/repeat.js']

/** Every file of the page, in memory: what is asked for never becomes the name of a file. */
export async function readPageFiles(): Promise<PageFile[]> {
  // In the sources as in the package: the bundle lies beside the folder console/, too.
  const page = new URL('../console/page/', import.meta.url)
  const names = (await readdir(page)).filter((name) => types[extname(name)] !== undefined)
  // Node resolves to the variant for servers, which lies a folder below the one for browsers.
  const library = new URL('../', import.meta.resolve('lit-html'))
  return await Promise.all([
    ...names.map((name) => pageFile(name, new URL(name, page))),
    ...litHtml.map((name) => pageFile(`lit-html/${name}`, new URL(name, library))),
  ])
}

async function pageFile(path: string, file: URL): Promise<PageFile> {
  return { path, type: types[extname(path)]!, content: await readFile(file) }
}
