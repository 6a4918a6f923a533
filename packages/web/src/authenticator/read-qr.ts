/**
 * Reads a QR code out of a picture: by the browser where it can (Shape Detection), else by our own means.
 * @module
 */
import decodeQR from 'qr/decode.js';

interface Detector {
  detect(image: CanvasImageSource): Promise<readonly { readonly rawValue: string }[]>;
}
type DetectorClass = {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
};

const native = nativeDetector();

/** The text of a QR code in a picture, if there is one. */
export async function readQR(
  source: CanvasImageSource,
  width: number,
  height: number,
): Promise<string | undefined> {
  const detector = await native;
  if (detector !== undefined) {
    const [found] = await detector.detect(source).catch(() => []);
    if (found !== undefined) return found.rawValue;
  }
  const canvas = new OffscreenCanvas(width, height);
  const pixels = canvas.getContext('2d', { willReadFrequently: true })!;
  pixels.drawImage(source, 0, 0, width, height);
  try {
    return decodeQR(pixels.getImageData(0, 0, width, height));
  } catch {
    return undefined;
  }
}

async function nativeDetector(): Promise<Detector | undefined> {
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: DetectorClass };
  const formats = await BarcodeDetector?.getSupportedFormats().catch((): string[] => []);
  return formats?.includes('qr_code') ? new BarcodeDetector!({ formats: ['qr_code'] }) : undefined;
}
