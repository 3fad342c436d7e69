/**
 * A panel as a picture, as it stands on the screen. Charts are canvases already, but titles, figures and legends are
 * text in the document, and no browser prints a part of a document into a canvas: they are written again, each run of
 * text where it stands, in its own font and colour.
 */
import { saveFile } from './save-file.ts';

type Frame = { ctx: CanvasRenderingContext2D; left: number; top: number };

/** What is there for hands or for screen readers has no place in a picture. */
const notDrawn = '[aria-haspopup], .sr-only, .chart-tooltip, svg';

function drawCanvases(panel: Element, { ctx, left, top }: Frame): void {
  for (const canvas of panel.querySelectorAll('canvas')) {
    const box = canvas.getBoundingClientRect();
    if (canvas.width === 0 || canvas.height === 0) continue;
    ctx.drawImage(canvas, box.left - left, box.top - top, box.width, box.height);
  }
}

function drawSwatches(panel: Element, { ctx, left, top }: Frame): void {
  for (const swatch of panel.querySelectorAll('i')) {
    const box = swatch.getBoundingClientRect();
    ctx.fillStyle = getComputedStyle(swatch).backgroundColor;
    ctx.fillRect(box.left - left, box.top - top, box.width, box.height);
  }
}

function drawText(panel: Element, { ctx, left, top }: Frame): void {
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  ctx.textBaseline = 'middle';
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    const text = node.nodeValue?.trim() ?? '';
    if (parent === null || text === '' || parent.closest(notDrawn) !== null) continue;
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const home = parent.getBoundingClientRect();
    const style = getComputedStyle(parent);
    ctx.save();
    ctx.beginPath();
    ctx.rect(home.left - left, home.top - top, home.width, home.height);
    ctx.clip();
    ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    ctx.fillStyle = style.color;
    ctx.fillText(text, box.left - left, box.top - top + box.height / 2);
    ctx.restore();
  }
}

/** Throws where the panel is not on the screen or the browser makes no picture. */
export async function downloadPng(panelId: string, title: string): Promise<void> {
  const panel = document.querySelector(`[data-panel="${CSS.escape(panelId)}"]`);
  if (panel === null) throw new Error('This panel is not on the screen');
  const box = panel.getBoundingClientRect();
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(box.width * devicePixelRatio);
  canvas.height = Math.round(box.height * devicePixelRatio);
  const ctx = canvas.getContext('2d');
  if (ctx === null) throw new Error('This browser makes no pictures of charts');
  ctx.scale(devicePixelRatio, devicePixelRatio);
  ctx.fillStyle = getComputedStyle(panel).backgroundColor;
  ctx.fillRect(0, 0, box.width, box.height);
  ctx.beginPath();
  ctx.rect(0, 0, box.width, box.height);
  ctx.clip();
  const frame = { ctx, left: box.left, top: box.top };
  drawCanvases(panel, frame);
  drawSwatches(panel, frame);
  drawText(panel, frame);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) throw new Error('The picture is too large for this browser');
  saveFile(blob, title, 'png');
}
