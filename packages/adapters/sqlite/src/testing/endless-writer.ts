import { SqliteMetaStore } from '../sqlite-meta-store.ts';

/** Writes numbered rows until it is killed and prints each number once its write was answered. */
const store = new SqliteMetaStore({ path: process.argv[2] ?? '' });
await store.run();
for (let i = 0; ; i += 1) {
  await store.settings.set(`row ${i}`, String(i));
  process.stdout.write(`${i}\n`);
}
