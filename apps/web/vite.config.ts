import { gzipSync } from 'node:zlib';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** JavaScript a visitor downloads, gzip, in bytes. The build fails above these. */
const budgets = { login: 15_000, firstBoard: 200_000, everything: 400_000 };

interface OutputChunkLike {
  type: string;
  fileName: string;
  code?: string;
  imports?: string[];
  facadeModuleId?: string | null;
}

/** Bytes of `roots` and of everything they import statically, each file once. */
function weigh(bundle: Record<string, OutputChunkLike>, roots: string[]): number {
  const seen = new Set<string>();
  const queue = [...roots];
  let bytes = 0;
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const chunk = bundle[name];
    if (seen.has(name) || chunk?.code === undefined) continue;
    seen.add(name);
    bytes += gzipSync(chunk.code).length;
    queue.push(...(chunk.imports ?? []));
  }
  return bytes;
}

/** Measures what was built and fails the build above the budget: sizes grow by accident, never on purpose. */
function sizeBudget(): Plugin {
  return {
    name: 'nowcast-size-budget',
    writeBundle(_options, output) {
      const bundle = output as unknown as Record<string, OutputChunkLike>;
      const entry = (end: string): string[] =>
        Object.values(bundle)
          .filter((chunk) => chunk.type === 'chunk' && chunk.facadeModuleId?.endsWith(end) === true)
          .map((chunk) => chunk.fileName);
      const scripts = Object.values(bundle).filter((chunk) => chunk.type === 'chunk');
      const sizes = {
        login: weigh(bundle, entry('login.html')),
        firstBoard: weigh(bundle, [...entry('index.html'), ...entry('features/board/board-page.tsx')]),
        everything: weigh(
          bundle,
          scripts.map((chunk) => chunk.fileName),
        ),
      };
      for (const [name, limit] of Object.entries(budgets) as [keyof typeof budgets, number][]) {
        const line = `${name}: ${(sizes[name] / 1000).toFixed(1)} KB gzip of ${limit / 1000} KB`;
        if (sizes[name] > limit || sizes[name] === 0) this.error(`size budget broken: ${line}`);
        else this.info(line);
      }
    },
  };
}

/** The page speaks English: react-aria's other languages would ship with it, 34 at a time. */
function englishOnly(): Plugin {
  return {
    name: 'nowcast-english-only',
    enforce: 'pre',
    load(id) {
      const isCatalogue = /react-(aria|stately|aria-components)\/.*\/intl\/.*\/[a-z]{2}-[A-Z]{2}\.m?js$/.test(
        id,
      );
      return isCatalogue && !id.includes('/en-US.') ? 'export default {};' : null;
    },
  };
}

/** Modules of the first board that other screens use as well; none that sign-in needs. */
const boardModules =
  /apps\/web\/src\/(?:units\/(?:format|locale)|time\/(?:range|zone)\.|live\/|charts\/palette|features\/board\/(?:matcher|filter-chips|panel-query|per-second)\.)|packages\/(?:contract|client)\/src\/(?:query|board|http-api|aggregate-names)\.ts/;

export default defineConfig({
  root: import.meta.dirname,
  plugins: [englishOnly(), react(), tailwindcss(), sizeBudget()],
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'es2023',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', login: 'login.html', offline: 'offline.html' },
      // What the first board needs is one file: cut up by which screens share what, its pieces compress 2 KB worse.
      output: { codeSplitting: { groups: [{ name: 'board', test: boardModules }] } },
    },
  },
  server: {
    port: 5174,
    proxy: Object.fromEntries(
      ['/api', '/data', '/updates', '/logout'].map((path) => [
        path,
        { target: process.env['NOWCAST_DEV_SERVER'] ?? 'http://127.0.0.1:7070', ws: path === '/updates' },
      ]),
    ),
  },
});
