import { glyphAdvance, glyphHeight, hasDot } from './glyphs.ts';

/** Red, green, blue, 0–255. */
export type Color = readonly [number, number, number];

export interface Point {
  x: number;
  y: number;
}

/** Pixels with just what a small chart needs: areas, smooth lines, short texts. Whatever lies outside is cut off. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, background: Color) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3);
    this.fill(0, 0, width, height, background);
  }

  /** `opacity` 0–1. */
  fill(left: number, top: number, width: number, height: number, color: Color, opacity = 1): void {
    for (let y = Math.max(0, Math.round(top)); y < Math.min(this.height, Math.round(top + height)); y++) {
      for (let x = Math.max(0, Math.round(left)); x < Math.min(this.width, Math.round(left + width)); x++) {
        this.#blend(x, y, color, opacity);
      }
    }
  }

  /**
   * Connected segments, as wide as `thickness`. A pixel is covered as far as its centre is from the nearest segment; the
   * cover of the whole line is gathered first, so that joints are not painted twice.
   */
  polyline(points: readonly Point[], thickness: number, color: Color): void {
    const cover = new Float32Array(this.width * this.height);
    const radius = thickness / 2;
    for (let i = 0; i < points.length; i++) {
      const a = points[Math.max(0, i - 1)]!;
      const b = points[i]!;
      const top = Math.max(0, Math.floor(Math.min(a.y, b.y) - radius - 1));
      const bottom = Math.min(this.height - 1, Math.ceil(Math.max(a.y, b.y) + radius + 1));
      const left = Math.max(0, Math.floor(Math.min(a.x, b.x) - radius - 1));
      const right = Math.min(this.width - 1, Math.ceil(Math.max(a.x, b.x) + radius + 1));
      for (let y = top; y <= bottom; y++) {
        for (let x = left; x <= right; x++) {
          const covered = Math.min(1, Math.max(0, radius + 0.5 - distance(x + 0.5, y + 0.5, a, b)));
          const at = y * this.width + x;
          if (covered > cover[at]!) cover[at] = covered;
        }
      }
    }
    for (let y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) {
        const covered = cover[y * this.width + x]!;
        if (covered > 0) this.#blend(x, y, color, covered);
      }
    }
  }

  /** A dot of a character is `scale` pixels wide. */
  text(text: string, left: number, top: number, scale: number, color: Color): void {
    Array.from(text).forEach((char, index) => {
      for (let column = 0; column < glyphAdvance - 1; column++) {
        for (let row = 0; row < glyphHeight; row++) {
          if (!hasDot(char, column, row)) continue;
          const x = left + (index * glyphAdvance + column) * scale;
          this.fill(x, top + row * scale, scale, scale, color);
        }
      }
    });
  }

  #blend(x: number, y: number, color: Color, opacity: number): void {
    const at = (y * this.width + x) * 3;
    for (let i = 0; i < 3; i++) {
      const below = this.pixels[at + i]!;
      this.pixels[at + i] = Math.round(below + (color[i]! - below) * opacity);
    }
  }
}

/** Width of a text in pixels. */
export function textWidth(text: string, scale: number): number {
  return Array.from(text).length * glyphAdvance * scale;
}

/** From a point to a segment. */
function distance(x: number, y: number, a: Point, b: Point): number {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / length));
  const restX = x - a.x - along * dx;
  const restY = y - a.y - along * dy;
  return Math.sqrt(restX * restX + restY * restY);
}
