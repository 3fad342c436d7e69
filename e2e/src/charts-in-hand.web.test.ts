/** A chart under a finger and under the keyboard: it goes on being live, and what is read is what is there. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BoardDesk, panelOf } from '../fixtures/board-desk.ts';
import { patience } from '../fixtures/live-peer.ts';
import { sizes } from './browser.ts';

let desk: BoardDesk;
beforeAll(async () => {
  desk = await BoardDesk.open();
});
afterAll(() => desk.close());

const panel = (page: Page, title: string) => page.getByRole('article', { name: title, exact: true });
/** Until so much time has passed that a window has visibly moved on. */
const pass = (ms: number) => {
  const endMs = Date.now() + ms;
  return vi.waitFor(() => expect(Date.now()).toBeGreaterThan(endMs), patience);
};

describe('a finger that scrolls the page', () => {
  it('on the time axis of a chart leaves the chart live', async () => {
    await desk.send([{ metric_type: 'orders', value: 1, timestamp: Date.now() - 20_000 }]);
    const panels = ['Upper', 'Lower', 'Last'].map((title, i) =>
      panelOf(title, { layout: { x: 0, y: i * 8, w: 12, h: 8 } }),
    );
    const board = await desk.makeBoard('Scrolled', panels);
    const context = await desk.page
      .context()
      .browser()!
      .newContext({
        viewport: sizes[0].viewport,
        hasTouch: true,
        storageState: await desk.page.context().storageState(),
      });
    const page = await context.newPage();
    await page.goto(`${desk.server.url}/boards/${board.board_id}?from=now-1m`);
    await panel(page, 'Upper')
      .getByRole('application', { name: /chart of 1 series/ })
      .waitFor();
    // Charts are built anew while the first points come in.
    const axis = await vi.waitFor(async () => {
      const box = await panel(page, 'Upper').locator('.u-axis').first().boundingBox();
      expect(box).not.toBeNull();
      return box!;
    }, patience);
    const screen = await context.newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', upPx = 0) =>
      screen.send('Input.dispatchTouchEvent', {
        type,
        touchPoints:
          type === 'touchEnd' ? [] : [{ x: axis.x + axis.width / 2, y: axis.y + axis.height / 2 - upPx }],
      });
    await touch('touchStart');
    for (let upPx = 12; upPx <= 144; upPx += 12) await touch('touchMove', upPx);
    await touch('touchEnd');
    await vi.waitFor(async () => expect(await page.evaluate('scrollY')).toBeGreaterThan(50), patience);
    const plot = panel(page, 'Upper').locator('.u-over');
    const { width, height } = (await plot.boundingBox())!;
    await plot.hover({ position: { x: width - 4, y: height / 2 } });
    const clock = panel(page, 'Upper').locator('.chart-tooltip-time');
    const before = await clock.textContent();
    await vi.waitFor(async () => expect(await clock.textContent()).not.toBe(before), patience);
    await page.getByRole('button', { name: 'Live: pause' }).waitFor();
    await context.close();
  });
});

describe('two fingers on a chart that has the screen to itself', () => {
  it('zoom it', async () => {
    await desk.send([{ metric_type: 'orders', value: 1 }]);
    const board = await desk.makeBoard('Pinched', [panelOf('Alone')]);
    const { page } = desk;
    await page.goto(`${desk.server.url}/boards/${board.board_id}?from=now-10m&panel=alone`);
    const box = await vi.waitFor(async () => {
      const found = await panel(page, 'Alone').locator('.u-over').boundingBox();
      expect(found).not.toBeNull();
      return found!;
    }, patience);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const hand = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number) =>
      hand.send('Input.dispatchTouchEvent', {
        type,
        touchPoints:
          type === 'touchEnd' ? [] : [-1, 1].map((side, id) => ({ x: x + (side * apart) / 2, y, id })),
      });
    // What reads fingers is fetched after the chart stands.
    await vi.waitFor(async () => {
      await touch('touchStart', 100);
      await touch('touchMove', 200);
      await touch('touchEnd', 0);
      await page.waitForURL(/to=\d/, { timeout: 1000 });
    }, patience);
    const { searchParams } = new URL(page.url());
    const length = Number(searchParams.get('to')) - Number(searchParams.get('from'));
    // On a slow machine more than one of them was read.
    const halvings = Math.log2(600_000 / length);
    expect(halvings).toBeGreaterThan(0.9);
    expect(Math.abs(halvings - Math.round(halvings))).toBeLessThan(0.05);
  });
});

describe('a range that is dragged on a chart', () => {
  it('is that of this chart alone, whichever was pressed before, and one step back', async () => {
    await desk.send([{ metric_type: 'orders', value: 1 }]);
    const { page } = desk;
    const board = await desk.makeBoard('Brushed', [
      panelOf('Whole', { layout: { x: 0, y: 0, w: 12, h: 6 } }),
      panelOf('Half', { layout: { x: 0, y: 6, w: 6, h: 6 } }),
    ]);
    await page.goto(`${desk.server.url}/boards/${board.board_id}?from=now-10m`);
    const plot = async (title: string) => {
      const over = panel(page, title).locator('.u-over');
      await over.click();
      return (await over.boundingBox())!;
    };
    await plot('Whole');
    const { x, y, width, height } = await plot('Half');
    await plot('Whole');
    await page.mouse.move(x + width * 0.25, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.75, y + height / 2, { steps: 5 });
    await page.mouse.up();
    await page.getByRole('button', { name: /^Go live/ }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Live: pause' }).waitFor();
  });
});

describe('a live chart read by keyboard', () => {
  it('goes back sample by sample while its window slides, and says the day as the tooltip does', async () => {
    const newest = Math.floor(Date.now() / 2000) * 2000;
    const points = Array.from({ length: 45 }, (_, i) => ({
      metric_type: 'steps',
      value: 100 - i,
      timestamp: newest - i * 2000,
    }));
    await desk.send(points);
    const { page } = desk;
    const board = await desk.makeBoard('Read', [panelOf('Steps', { metric_type: 'steps' })]);
    await page.goto(`${desk.server.url}/boards/${board.board_id}?from=now-1m`);
    const chart = panel(page, 'Steps').getByRole('application');
    const spoken = panel(page, 'Steps').locator('[aria-live=polite]').filter({ hasText: 'Steps: ' });
    const value = panel(page, 'Steps').locator('.chart-tooltip-row b');
    await chart.locator('canvas').waitFor();
    await vi.waitFor(async () => {
      await chart.press('End');
      expect(await spoken.textContent()).toMatch(/Steps: 100$/);
    }, patience);
    for (const expected of ['99', '98']) {
      await pass(5000);
      await chart.press('ArrowLeft');
      await vi.waitFor(
        async () => expect(await spoken.textContent()).toMatch(`Steps: ${expected}`),
        patience,
      );
      // The crosshair stays on its moment, wherever that is by now.
      await pass(3000);
      expect(await value.textContent()).toBe(expected);
    }
    const head = await panel(page, 'Steps').locator('.chart-tooltip-time').textContent();
    expect(await spoken.textContent()).toBe(`${head}, Steps: 98`);
  });
});
