/**
 * Any picture, drawn anew on a small canvas: what the file held besides (where it was taken, by what) is gone.
 * @module
 */
import { PICTURE_PIXELS } from '@countersign/core';

/** @returns a PNG, the whole picture in the middle of a square; nothing where the browser can't read the file */
export async function smallPicture(file: Blob): Promise<Uint8Array | undefined> {
  const image = await createImageBitmap(file).catch(() => undefined);
  if (image === undefined) return undefined;
  const side = PICTURE_PIXELS.usual;
  const canvas = new OffscreenCanvas(side, side);
  const scale = side / Math.max(image.width, image.height);
  const [width, height] = [image.width * scale, image.height * scale];
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, (side - width) / 2, (side - height) / 2, width, height);
  image.close();
  return (await canvas.convertToBlob({ type: 'image/png' })).bytes();
}
