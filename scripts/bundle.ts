/**
 * Bundles the package's JavaScript into dist/: few files load in half of the time that one for each source takes, and every stream thread loads them.
 * What several entries need is in chunks, so that there is one copy of it.
 */
import { build } from 'esbuild'

await build({
  entryPoints: [
    { in: 'src/index.ts', out: 'index' },
    { in: 'src/testing/index.ts', out: 'testing/index' },
    { in: 'src/cli/main.ts', out: 'cli/main' },
    // Beside the chunks: whoever starts a worker looks for its job beside himself.
    { in: 'src/runtime/stream-thread-job.ts', out: 'chunks/stream-thread-job' },
    { in: 'src/runtime/global/global-thread-job.ts', out: 'chunks/global-thread-job' },
  ],
  outdir: 'dist',
  // As deep as the sources are: the addon, package.json and the examples are two folders up.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  logLevel: 'warning',
})
