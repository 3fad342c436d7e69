import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** The three sizes every journey is taken at. */
export const sizes = [
  { name: 'phone', viewport: { width: 390, height: 844 }, hasTouch: true },
  { name: 'tablet', viewport: { width: 820, height: 1180 }, hasTouch: true },
  { name: 'desktop', viewport: { width: 1440, height: 900 }, hasTouch: false },
] as const;
export type Size = (typeof sizes)[number];

const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A real Chromium that talks to this machine alone. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? paths.find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new Error('no Chromium found; install the package chromium or set CHROMIUM');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

export interface Screen {
  page: Page;
  context: BrowserContext;
  /** What the page complained of: uncaught errors and violations of the content security policy. */
  complaints: string[];
}

export async function openScreen(
  browser: Browser,
  size: Size,
  colorScheme: 'dark' | 'light' = 'dark',
): Promise<Screen> {
  const context = await browser.newContext({ viewport: size.viewport, hasTouch: size.hasTouch, colorScheme });
  const page = await context.newPage();
  // A step takes less than a second; a small machine with other work takes its time.
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().includes('Content Security Policy'))
      complaints.push(message.text());
  });
  return { page, context, complaints };
}

/** Whether anything sticks out sideways. */
export function overflowsSideways(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  );
}
