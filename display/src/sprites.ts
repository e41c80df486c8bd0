// Symbols are drawn once and then stamped: to place a small picture is many times cheaper than to fill and stroke its outline.
import type { Pen } from "./symbols";

interface Sprite {
  image: ImageBitmap;
  middle: number; // of its side, in points
}

const KEPT_MAX = 400;
const kept = new Map<string, Sprite>();

/** Draw a symbol about a point, at whole pixels.  `key` names all that it looks like; `reach` (points) is as far as it goes. */
export function stamp(c: CanvasRenderingContext2D, key: string, x: number, y: number, reach: number, ratio: number, draw: (pen: Pen, at: number) => void): void {
  const name = `${key}@${ratio}`;
  let sprite = kept.get(name);
  if (!sprite) {
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(name, (sprite = made(reach, ratio, draw)));
  }
  const { image, middle } = sprite;
  const [left, top] = [Math.round((x - middle) * ratio) / ratio, Math.round((y - middle) * ratio) / ratio];
  c.drawImage(image, left, top, image.width / ratio, image.height / ratio);
}

function made(reach: number, ratio: number, draw: (pen: Pen, at: number) => void): Sprite {
  const side = 2 * Math.ceil(reach * ratio) + 1; // odd: the middle is the middle of a pixel
  const canvas = new OffscreenCanvas(side, side);
  const pen = canvas.getContext("2d")!;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const middle = side / 2 / ratio;
  draw(pen, middle);
  return { image: canvas.transferToImageBitmap(), middle };
}
