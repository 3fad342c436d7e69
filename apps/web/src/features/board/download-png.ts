/**
 * A panel as a picture, as it stands on the screen. Charts are canvases already, but titles, figures and legends are
 * text in the document, and no browser prints a part of a document into a canvas: they are written again, each run of
 * text where it stands, in its own font and colour.
 */
import { saveFile } from './save-file.ts';

type Frame = { ctx: CanvasRenderingContext2D; left: number; top: number; panel: Element };

/** What is there for hands or for screen readers has no place in a picture. */
const notDrawn = '[aria-haspopup], .sr-only, .chart-tooltip, svg';

function clipTo(element: Element, { ctx, left, top }: Frame): void {
  const { x, y, width, height } = element.getBoundingClientRect();
  ctx.beginPath();
  ctx.rect(x - left, y - top, width, height);
  ctx.clip();
}

/** Draws only what is seen of the element in whatever it scrolls in. */
function drawSeen(element: Element, frame: Frame, draw: () => void): void {
  frame.ctx.save();
  for (let box = element.parentElement; box !== null && box !== frame.panel; box = box.parentElement)
    if (getComputedStyle(box).overflowY !== 'visible') clipTo(box, frame);
  draw();
  frame.ctx.restore();
}

function drawCanvases(frame: Frame): void {
  const { ctx, left, top, panel } = frame;
  for (const canvas of panel.querySelectorAll('canvas')) {
    const box = canvas.getBoundingClientRect();
    if (canvas.width === 0 || canvas.height === 0) continue;
    drawSeen(canvas, frame, () =>
      ctx.drawImage(canvas, box.left - left, box.top - top, box.width, box.height),
    );
  }
}

function drawGrounds(selector: string, frame: Frame): void {
  const { ctx, left, top, panel } = frame;
  for (const element of panel.querySelectorAll(selector)) {
    if (element.closest(notDrawn) !== null) continue;
    const box = element.getBoundingClientRect();
    // Whole pixels: between two that meet in the middle of one, what is below would shine through.
    const [x, y] = [Math.round(box.left - left), Math.round(box.top - top)];
    drawSeen(element, frame, () => {
      ctx.fillStyle = getComputedStyle(element).backgroundColor;
      ctx.fillRect(x, y, Math.round(box.right - left) - x, Math.round(box.bottom - top) - y);
    });
  }
}

function drawText(isDrawn: (parent: Element) => boolean, frame: Frame): void {
  const { ctx, left, top, panel } = frame;
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  ctx.textBaseline = 'middle';
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    const text = node.nodeValue?.trim() ?? '';
    if (parent === null || text === '' || parent.closest(notDrawn) !== null || !isDrawn(parent)) continue;
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const style = getComputedStyle(parent);
    drawSeen(parent, frame, () => {
      clipTo(parent, frame);
      ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      ctx.fillStyle = style.color;
      ctx.fillText(text, box.left - left, box.top - top + box.height / 2);
    });
  }
}

/** Heads of tables stay where they are while rows scroll away under them. */
const isHead = (element: Element): boolean => element.closest('thead') !== null;

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
  const frame = { ctx, left: box.left, top: box.top, panel };
  drawCanvases(frame);
  drawGrounds('i', frame);
  drawText((parent) => !isHead(parent), frame);
  drawGrounds('th', frame);
  drawText(isHead, frame);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) throw new Error('The picture is too large for this browser');
  saveFile(blob, title, 'png');
}
