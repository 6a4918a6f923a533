import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import { hashPicture, MAX_PICTURE_BYTES } from '../src/picture.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';

/** A grey PNG. */
function png(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc((width + 1) * height))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('a picture', () => {
  test('is a PNG of 16 to 256 pixels each way', async () => {
    for (const [width, height] of [
      [16, 16],
      [96, 96],
      [256, 16],
    ] as const)
      assert.match(await hashPicture(webCrypto, png(width, height)), /^[\w-]{43}$/);
    for (const [width, height] of [
      [15, 96],
      [96, 257],
      [30_000, 30],
      [0, 96],
    ] as const)
      await assert.rejects(hashPicture(webCrypto, png(width, height)), refused('picture-invalid'));
  });

  test('is refused where it is cut, longer than it may be, or of another kind', async () => {
    const good = png(96, 96);
    for (const bad of [
      good.subarray(0, -1),
      good.subarray(0, 20),
      new Uint8Array(0),
      Buffer.concat([good, Buffer.from('<script>')]),
      Buffer.concat([good.subarray(0, 40), Buffer.alloc(MAX_PICTURE_BYTES), good.subarray(40)]),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'.padEnd(80)),
      Buffer.from([0xff, 0xd8, 0xff, ...good]),
    ])
      await assert.rejects(hashPicture(webCrypto, bad), refused('picture-invalid'));
  });
});
