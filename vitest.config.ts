import { defineConfig } from 'vitest/config';

/** Suffix = environment: `.test.ts` is pure, `.int.test.ts` starts real servers, `.web.test.ts` drives a real browser. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Properties run hundreds of cases; a busy machine may take its time over them.
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // They share nothing that one of them could spoil for another: a worker and its modules serve many files.
          isolate: false,
          include: ['{packages,apps,bench}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.int.test.ts', '**/*.web.test.ts'],
        },
      },
      {
        test: {
          name: 'int',
          include: ['{packages,apps,e2e}/**/*.int.test.ts'],
          exclude: ['**/node_modules/**'],
          // Several servers are started in some of them; a small machine takes ten seconds for each when it is busy.
          testTimeout: 180_000,
          hookTimeout: 120_000,
          // Half of their time they wait for servers: three at a time use two cores.
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'web',
          include: ['{apps,e2e}/**/*.web.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          // Browser and server take turns: two at a time use both cores.
          maxWorkers: 2,
        },
      },
    ],
  },
});
