import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { can } from '@nowcast/access';
import { SqliteMetaStore } from '@nowcast/adapter-sqlite';
import { type Actor, type BoardContent, preferencesSchema, type Role, roles } from '@nowcast/contract';
import { ManualClock } from '@nowcast/kernel';
import type { UserRow } from '@nowcast/ports';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DashboardService } from './dashboard-service.ts';
import { hostBoard } from './host-board.ts';

let folder: string;
let store: SqliteMetaStore;
let clock: ManualClock;
let boards: DashboardService;

function row(name: string): UserRow {
  return {
    userId: name,
    username: name,
    email: `${name}@example.com`,
    name: `Name of ${name}`,
    passwordHash: '',
    preferences: preferencesSchema.parse({}),
    createdAt: 1,
  };
}

function person(name: string, role: Role, tenant = 'acme'): Actor {
  return { kind: 'user', tenant_id: tenant, user_id: name, role, session_id: `session of ${name}` };
}

const ada = person('ada', 'owner');
const ed = person('ed', 'editor');
const eva = person('eva', 'editor');
const vic = person('vic', 'viewer');
const foreign = person('zoe', 'owner', 'globex');
const ingestKey: Actor = { kind: 'key', tenant_id: 'acme', key_id: 'k', scopes: ['ingest'] };
const readKey: Actor = { kind: 'key', tenant_id: 'acme', key_id: 'k', scopes: ['read'] };

const content = (change: Partial<BoardContent> = {}): BoardContent => ({
  ...hostBoard('web-1'),
  shared: false,
  ...change,
});
const forbidden = { code: 'auth.forbidden' };
const notFound = { code: 'request.not_found' };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-boards-'));
  store = new SqliteMetaStore({ path: join(folder, 'meta.db') });
  await store.run();
  await store.tenants.found({ tenantId: 'acme', name: 'Acme', createdAt: 1 }, row('ada'), undefined);
  await store.tenants.found({ tenantId: 'globex', name: 'Globex', createdAt: 1 }, row('zoe'), undefined);
  await store.members.create('acme', row('ed'), 'editor');
  await store.members.create('acme', row('eva'), 'editor');
  await store.members.create('acme', row('vic'), 'viewer');
  clock = new ManualClock(1_000_000);
  boards = new DashboardService({ store, clock, can });
});
afterEach(async () => {
  await store.stop();
  await rm(folder, { recursive: true });
});

describe('DashboardService', () => {
  it('gives back the board as it was made, with its owner', async () => {
    const board = await boards.create(ed, content({ title: 'Mine' }));
    expect(board).toMatchObject({
      title: 'Mine',
      user_id: 'ed',
      owner_name: 'Name of ed',
      version: 1,
      created_at: clock.now(),
      last_updated: clock.now(),
      starred: false,
      editable: true,
    });
    expect(await boards.get(ed, board.board_id)).toEqual(board);
    expect(await boards.list(ed)).toMatchObject([
      { board_id: board.board_id, panel_count: board.panels.length, editable: true },
    ]);
  });

  it('hides a private board from everybody else, whatever their role', async () => {
    const { board_id: id } = await boards.create(ed, content());
    for (const other of [ada, eva, vic, readKey, foreign]) {
      expect(await boards.list(other)).toEqual([]);
      await expect(boards.get(other, id)).rejects.toMatchObject(notFound);
      await expect(boards.delete(other, id)).rejects.toMatchObject(notFound);
      await expect(boards.duplicate(other, id)).rejects.toMatchObject(notFound);
      await expect(boards.star(other, id, true)).rejects.toMatchObject(notFound);
      await expect(boards.versions(other, id)).rejects.toMatchObject(notFound);
      await expect(boards.save(other, id, { content: content(), base_version: 1 })).rejects.toMatchObject(
        notFound,
      );
    }
  });

  it('shows a shared board to the tenant and lets its owner and administrators change it', async () => {
    const { board_id: id } = await boards.create(ed, content({ shared: true }));
    for (const other of [ada, eva, vic, readKey]) {
      expect(await boards.list(other)).toHaveLength(1);
      const writes = other === ada;
      expect((await boards.get(other, id)).editable).toBe(writes);
    }
    for (const other of [eva, vic, readKey]) {
      await expect(boards.save(other, id, { content: content(), base_version: 1 })).rejects.toMatchObject(
        forbidden,
      );
      await expect(boards.delete(other, id)).rejects.toMatchObject(forbidden);
    }
    const saved = await boards.save(ada, id, {
      content: content({ shared: true, title: 'Better' }),
      base_version: 1,
    });
    expect(saved).toMatchObject({ title: 'Better', user_id: 'ed', version: 2 });
    await boards.delete(ada, id);
    await expect(boards.get(ed, id)).rejects.toMatchObject(notFound);
  });

  it('C11 keeps every board inside its tenant', async () => {
    const { board_id: id, panels } = await boards.create(ed, content({ shared: true }));
    expect(await boards.list(foreign)).toEqual([]);
    await expect(boards.get(foreign, id)).rejects.toMatchObject(notFound);
    await expect(boards.visualization(foreign, panels[0]?.visualization_id ?? '')).rejects.toMatchObject(
      notFound,
    );
  });

  it('makes boards for editors and above, and never for keys', async () => {
    for (const role of roles) {
      const name = { viewer: 'vic', editor: 'ed', admin: 'eva', owner: 'ada' }[role];
      const made = boards.create(person(name, role), content());
      if (role === 'viewer') await expect(made).rejects.toMatchObject(forbidden);
      else expect((await made).user_id).toBe(name);
    }
    await expect(boards.create(readKey, content())).rejects.toMatchObject(forbidden);
    await expect(boards.list(ingestKey)).rejects.toMatchObject(forbidden);
  });

  it('refuses to save over somebody else’s newer version and names it', async () => {
    const { board_id: id } = await boards.create(ed, content({ shared: true }));
    clock.advance(1000);
    const shared = content({ shared: true, title: 'By Ada' });
    await boards.save(ada, id, { content: shared, base_version: 1 });
    await expect(
      boards.save(ed, id, { content: content({ title: 'By Ed' }), base_version: 1 }),
    ).rejects.toMatchObject({ code: 'request.conflict', details: { version: 2 } });
    expect(await boards.get(ed, id)).toMatchObject({ title: 'By Ada', last_updated: clock.now() });
  });

  it('keeps fifty versions that can be read, but not the private past of a shared board', async () => {
    const { board_id: id } = await boards.create(ed, content({ title: 'v1' }));
    for (let version = 1; version < 55; version += 1)
      await boards.save(ed, id, {
        content: content({ title: `v${version + 1}`, shared: version >= 30 }),
        base_version: version,
      });
    const versions = await boards.versions(eva, id);
    expect(versions).toHaveLength(50);
    expect(versions[0]).toMatchObject({ version: 55, user_id: 'ed', owner_name: 'Name of ed' });
    expect(await boards.version(ed, id, 6)).toMatchObject({ title: 'v6', version: 6, shared: false });
    expect(await boards.version(eva, id, 40)).toMatchObject({ title: 'v40' });
    await expect(boards.version(eva, id, 20)).rejects.toMatchObject(notFound);
    await expect(boards.version(ed, id, 5)).rejects.toMatchObject(notFound);
  });

  it('drops old versions where all boards together take too much, and then refuses, saying what to do', async () => {
    const bytes = 3 * Buffer.byteLength(JSON.stringify(content({ title: 'v1' })));
    boards = new DashboardService({ store, clock, can, limits: { boards: 1000, bytes } });
    const { board_id: id } = await boards.create(ed, content({ title: 'v1' }));
    for (let version = 1; version < 5; version += 1) {
      clock.advance(1);
      await boards.save(ed, id, { content: content({ title: `v${version + 1}` }), base_version: version });
    }
    expect((await boards.versions(ed, id)).map(({ version }) => version)).toEqual([5, 4, 3]);
    for (const title of ['w1', 'x1']) await boards.create(ed, content({ title }));
    const refusal = {
      code: 'request.too_large',
      message: expect.stringContaining('delete boards') as string,
    };
    await expect(boards.create(ed, content({ title: 'y1' }))).rejects.toMatchObject(refusal);
    const longer = { content: content({ title: 'longer' }), base_version: 5 };
    await expect(boards.save(ed, id, longer)).rejects.toMatchObject(refusal);
    expect(await boards.list(ed)).toHaveLength(3);
  });

  it('keeps the private past of a board from whoever it is handed to', async () => {
    const { board_id: id } = await boards.create(ed, content({ title: 'Secret' }));
    await boards.save(ed, id, { content: content({ title: 'Open', shared: true }), base_version: 1 });
    await store.members.remove('acme', 'ed', 'ada');
    expect(await boards.version(ada, id, 2)).toMatchObject({ title: 'Open', user_id: 'ada' });
    await expect(boards.version(ada, id, 1)).rejects.toMatchObject(notFound);
  });

  it('duplicates a shared board into a private one with panels of its own', async () => {
    const original = await boards.create(ada, content({ shared: true, title: 'x'.repeat(120) }));
    const copy = await boards.duplicate(ed, original.board_id);
    expect(copy).toMatchObject({ user_id: 'ed', shared: false, editable: true });
    expect(copy.title).toMatch(/ \(copy\)$/);
    expect(copy.title).toHaveLength(120);
    const ids = new Set(original.panels.map((panel) => panel.visualization_id));
    expect(copy.panels.some((panel) => ids.has(panel.visualization_id))).toBe(false);
    await expect(boards.duplicate(vic, original.board_id)).rejects.toMatchObject(forbidden);
  });

  it('stars a board for one person, and lists it first', async () => {
    const old = await boards.create(ed, content({ title: 'Old', shared: true }));
    clock.advance(1000);
    await boards.create(ed, content({ title: 'New', shared: true }));
    await boards.star(vic, old.board_id, true);
    expect((await boards.list(vic)).map((board) => [board.title, board.starred])).toEqual([
      ['Old', true],
      ['New', false],
    ]);
    expect((await boards.list(ed)).map((board) => board.title)).toEqual(['New', 'Old']);
    await boards.star(vic, old.board_id, false);
    expect((await boards.get(vic, old.board_id)).starred).toBe(false);
  });

  it('finds a visualization by its id, on the named board or on any that is visible', async () => {
    const board = await boards.create(ed, content());
    const [panel] = board.panels;
    const id = panel?.visualization_id ?? '';
    expect((await boards.visualization(ed, id)).panel).toEqual(panel);
    expect((await boards.visualization(ed, id, board.board_id)).board.board_id).toBe(board.board_id);
    await expect(boards.visualization(eva, id)).rejects.toMatchObject(notFound);
    await expect(boards.visualization(eva, id, board.board_id)).rejects.toMatchObject(notFound);
    await expect(boards.visualization(ed, 'none', board.board_id)).rejects.toMatchObject(notFound);
  });

  it('refuses content that the page could not show, and says what to change', async () => {
    const [panel] = content().panels;
    if (panel === undefined) throw new Error('the host board has panels');
    const refused: [Partial<BoardContent>, string][] = [
      [{ panels: [panel, panel] }, 'request.invalid'],
      [{ panels: [{ ...panel, layout: { x: 8, y: 0, w: 6, h: 6 } }] }, 'request.invalid'],
      [{ panels: [{ ...panel, query: { ...panel.query, step: '5 apples' } }] }, 'query.invalid'],
      [{ panels: [{ ...panel, query: { ...panel.query, window: 'ever' } }] }, 'query.invalid'],
      [{ window: '' }, 'query.invalid'],
    ];
    for (const [change, code] of refused)
      await expect(boards.create(ed, content(change))).rejects.toMatchObject({ code });
    const values = Array.from({ length: 700 }, (_, i) => `${i}`.padStart(1000, 'x'));
    const huge = { ...panel, query: { ...panel.query, where: { host: values } } };
    await expect(boards.create(ed, content({ panels: [huge] }))).rejects.toMatchObject({
      code: 'request.too_large',
    });
    expect(await boards.list(ed)).toEqual([]);
  });
});
