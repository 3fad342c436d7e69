import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { overflowsSideways } from './browser.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; html: string }[];
}

const allRules = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
/** What alone can differ between two colour schemes of one page. */
const colourRules = { runOnly: { type: 'rule', values: ['color-contrast'] } };

async function violations(page: Page, options: object): Promise<string[]> {
  await page.evaluate(axeSource);
  const found = await page.evaluate<Violation[]>(
    `axe.run(document, ${JSON.stringify(options)}).then((result) => result.violations)`,
  );
  return found.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
  );
}

/** Hold for the page behind a dialog, which a dialog rightly hides. */
const pageRules = /^(landmark-one-main|page-has-heading-one):/;

/** Collects what is wrong with what `page` shows: axe-core's WCAG 2.2 AA and best practice, and what sticks out. */
export async function look(
  page: Page,
  name: string,
  found: string[],
  rules: 'all' | 'colours' = 'all',
): Promise<void> {
  if (await overflowsSideways(page)) found.push(`${name} sticks out sideways`);
  const isModal = (await page.getByRole('dialog').count()) > 0;
  const all = await violations(page, rules === 'all' ? allRules : colourRules);
  const real = all.filter((violation) => !isModal || !pageRules.test(violation));
  found.push(...real.map((violation) => `${name} ${violation}`));
}
