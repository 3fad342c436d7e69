import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { metaStoreConformance, revocationConformance } from '@nowcast/ports/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteMetaStore } from './sqlite-meta-store.ts';

metaStoreConformance('SqliteMetaStore', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-meta-'));
  const path = join(folder, 'meta.db');
  let store = new SqliteMetaStore({ path });
  await store.run();
  return {
    store,
    async reopen() {
      await store.stop();
      store = new SqliteMetaStore({ path });
      await store.run();
      return store;
    },
    async dispose() {
      await store.stop();
      await rm(folder, { recursive: true });
    },
  };
});

revocationConformance('SqliteMetaStore', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-meta-'));
  const path = join(folder, 'meta.db');
  const [here, there] = [new SqliteMetaStore({ path }), new SqliteMetaStore({ path })];
  await here.run();
  await there.run();
  return {
    here,
    there,
    async dispose() {
      await here.stop();
      await there.stop();
      await rm(folder, { recursive: true });
    },
  };
});

describe('SqliteMetaStore', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nowcast-meta-'));
    path = join(folder, 'data', 'meta.db');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('loses no write that was answered when the process is killed', async () => {
    const writer = fileURLToPath(new URL('./testing/endless-writer.ts', import.meta.url));
    const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let answered = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      answered = Number(line);
      if (answered >= 40) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');

    const store = new SqliteMetaStore({ path });
    await store.run();
    for (let i = 0; i <= answered; i += 1) expect(await store.settings.get(`row ${i}`)).toBe(String(i));
    await store.stop();
  });

  it('refuses a file that a newer version has migrated and leaves it as it was', async () => {
    const store = new SqliteMetaStore({ path });
    await store.run();
    await store.stop();
    const file = new DatabaseSync(path);
    file.exec("insert into kysely_migration (name, timestamp) values ('9999_from_the_future', '')");
    file.close();
    const before = await readFile(path);

    await expect(new SqliteMetaStore({ path }).run()).rejects.toThrow(
      /newer Nowcast \(it has 9999_from_the_future\)/,
    );
    expect(await readFile(path)).toEqual(before);
  });

  it('C23 creates its files readable by the owner only', async () => {
    const store = new SqliteMetaStore({ path });
    await store.run();
    await store.settings.set('a', 'b');
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(path + suffix)).mode & 0o077).toBe(0);
    await store.stop();
  });

  it('runs beside another process that has the file open and writes', async () => {
    const first = new SqliteMetaStore({ path });
    const second = new SqliteMetaStore({ path });
    await first.run();
    await second.run();
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? first : second).settings.set(`row ${i}`, String(i))),
    );
    for (let i = 0; i < 40; i += 1) expect(await first.settings.get(`row ${i}`)).toBe(String(i));
    await first.stop();
    await second.stop();
  });

  it('does not let a plain write slip into somebody else’s transaction', async () => {
    const store = new SqliteMetaStore({ path });
    await store.run();
    const owner = {
      userId: 'u',
      username: 'ada',
      email: 'ada@example.com',
      name: 'Ada',
      passwordHash: '',
      preferences: {
        theme: 'system',
        density: 'comfortable',
        time_zone: 'UTC',
        locale: 'en',
        number_format: 'locale',
        reduced_motion: false,
        shortcuts: true,
      },
      createdAt: 1,
    } as const;
    await store.tenants.found({ tenantId: 't', name: 'T', createdAt: 1 }, owner, undefined);
    // Each update fails at the end of its transaction and is rolled back, while settings are written between.
    const demotions = Array.from({ length: 20 }, (_, i) =>
      Promise.allSettled([
        store.members.update('t', 'u', { role: 'viewer' }),
        store.settings.set(`row ${i}`, String(i)),
      ]),
    );
    for (const [demotion, setting] of await Promise.all(demotions)) {
      expect(demotion.status).toBe('rejected');
      expect(setting.status).toBe('fulfilled');
    }
    for (let i = 0; i < 20; i += 1) expect(await store.settings.get(`row ${i}`)).toBe(String(i));
    expect((await store.members.get('t', 'u'))?.role).toBe('owner');
    await store.stop();
  });

  it('says that it is unavailable before it runs, after it stopped, and when the file cannot be opened', async () => {
    const store = new SqliteMetaStore({ path });
    expect(() => store.users).toThrow(expect.objectContaining({ code: 'server.unavailable' }));
    await store.run();
    const { settings } = store;
    await store.stop();
    await store.stop();
    await expect(settings.get('a')).rejects.toThrow();
    expect(() => store.users).toThrow(expect.objectContaining({ code: 'server.unavailable' }));

    const broken = new SqliteMetaStore({ path: join(folder, 'data') });
    await expect(broken.run()).rejects.toThrow();
  });
});
