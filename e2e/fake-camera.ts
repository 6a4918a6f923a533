/**
 * A film for Chromium's fake camera: one QR code, in front of it for as long as it is looked at (YUV4MPEG2).
 * @module
 */
import { writeFile } from 'node:fs/promises';
import encodeQR from 'qr';

const WIDTH = 640;
const HEIGHT = 480;
const FRAMES = 5;
const [WALL, LIGHT, DARK] = [160, 235, 16];

/** Chromium's flags for a camera that shows a film, and that nobody is asked about. */
export function cameraFlags(film: string): string[] {
  return [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${film}`,
  ];
}

/** @param text in the QR code; without it, an empty wall is filmed */
export async function filmQR(film: string, text?: string): Promise<void> {
  const luma = Buffer.alloc(WIDTH * HEIGHT, WALL);
  if (text !== undefined) {
    const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
    const scale = Math.floor((HEIGHT - 8) / rows.length);
    const [left, top] = [WIDTH, HEIGHT].map((length) => Math.floor((length - rows.length * scale) / 2));
    for (let y = 0; y < rows.length * scale; y++) {
      for (let x = 0; x < rows.length * scale; x++) {
        const dark = rows[Math.floor(y / scale)]![Math.floor(x / scale)];
        luma[(top! + y) * WIDTH + left! + x] = dark ? DARK : LIGHT;
      }
    }
  }
  const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, chroma]);
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
  await writeFile(film, Buffer.concat([header, ...Array<Buffer>(FRAMES).fill(frame)]));
}
