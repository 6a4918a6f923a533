/**
 * Reads the published vectors of Noise by our core.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { Channel } from '@countersign/core/noise-handshake';
import { KK_PSK0, NoiseHandshake, type NoisePattern, XX_PSK3 } from '@countersign/core/noise-handshake';
import { webNoise } from '@countersign/core/noise-web';
import type { Loose } from '../spec/generator/vector.ts';

const hex = (text: string) => Uint8Array.fromHex(text);

/** Those that M-AUTH uses, and others that have published vectors. */
export const PATTERNS: readonly NoisePattern[] = [
  KK_PSK0,
  XX_PSK3,
  {
    name: 'KK',
    known: true,
    messages: [
      ['e', 'es', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  {
    name: 'KKpsk2',
    known: true,
    messages: [
      ['e', 'es', 'ss'],
      ['e', 'ee', 'se', 'psk'],
    ],
  },
  { name: 'XX', known: false, messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
];

export async function readNoise(input: Loose): Promise<unknown> {
  const pattern = PATTERNS.find(({ name }) => name === input.protocol_name.split('_')[1])!;
  const side = async (role: 'initiator' | 'responder') => {
    const own = role === 'initiator' ? 'init' : 'resp';
    return new NoiseHandshake(webNoise, {
      pattern,
      role,
      prologue: hex(input[`${own}_prologue`]),
      ...(input[`${own}_psks`] === undefined ? {} : { psk: hex(input[`${own}_psks`][0]) }),
      key: await webNoise.importKey(hex(input[`${own}_static`])),
      ...(pattern.known ? { peer: hex(input[`${own}_remote_static`]) } : {}),
      ephemeral: await webNoise.importKey(hex(input[`${own}_ephemeral`])),
    });
  };
  const ends = [await side('initiator'), await side('responder')] as const;
  let channels: Channel[] = [];
  for (const [index, { payload, ciphertext }] of input.messages.entries()) {
    const [from, to] = index % 2 === 0 ? [0, 1] : [1, 0];
    let opened: Uint8Array;
    if (index < pattern.messages.length) {
      await ends[from]!.write(hex(payload));
      opened = await ends[to]!.read(hex(ciphertext));
      if (index === pattern.messages.length - 1) channels = ends.map((end) => end.finish());
    } else opened = channels[to]!.receive.decrypt(hex(ciphertext));
    if (opened.toHex() !== payload) throw new CountersignError('handshake-invalid', 'another payload');
  }
  return { handshake_hash: channels[0]!.hash.toHex() };
}
