// Shapes carry the state alone: dashed circle, hollow diamond, filled diamond, ringed diamond, cross.
export type Shape = "tentative" | "confirmed" | "threat" | "engaged" | "ended" | "sensor" | "effector";

export const MARGIN_PX = 9; // that a ring or a halo goes beyond a symbol
export type Pen = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export function symbol(
  c: Pen, shape: Shape, x: number, y: number, r: number, colour: string, ground: string, halo = "",
): void {
  c.strokeStyle = colour;
  c.fillStyle = colour;
  c.lineWidth = 2;
  switch (shape) {
    case "tentative":
      c.setLineDash([3, 3]);
      c.beginPath();
      c.arc(x, y, r, 0, 2 * Math.PI);
      c.stroke();
      c.setLineDash([]);
      break;
    case "confirmed":
      diamond(c, x, y, r);
      c.fillStyle = ground;
      c.fill();
      c.stroke();
      break;
    case "threat":
    case "engaged":
      if (shape === "engaged") ring(c, x, y, r + 5, halo);
      diamond(c, x, y, r);
      c.strokeStyle = halo;
      c.lineWidth = 5;
      c.stroke();
      c.fill();
      break;
    case "ended":
      c.beginPath();
      c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x - r, y + r); c.lineTo(x + r, y - r);
      c.stroke();
      break;
    case "sensor":
      c.beginPath();
      c.moveTo(x, y - r); c.lineTo(x + r, y + r); c.lineTo(x - r, y + r);
      c.closePath();
      c.fillStyle = ground;
      c.fill();
      c.stroke();
      break;
    case "effector":
      c.fillStyle = ground;
      c.fillRect(x - r, y - r, 2 * r, 2 * r);
      c.strokeRect(x - r, y - r, 2 * r, 2 * r);
      break;
  }
}

function diamond(c: Pen, x: number, y: number, r: number): void {
  c.beginPath();
  c.moveTo(x, y - r); c.lineTo(x + r, y); c.lineTo(x, y + r); c.lineTo(x - r, y);
  c.closePath();
}

export function ring(c: Pen, x: number, y: number, r: number, colour: string): void {
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
  c.strokeStyle = colour;
  c.lineWidth = 2.5;
  c.stroke();
}
