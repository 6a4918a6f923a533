/**
 * Reads the vectors of M-AUTH by our core.
 * @module
 */
import assert from 'node:assert/strict';
import { decodeBase64url, encodeBase64url } from '@countersign/core';
import {
  encodeFrame,
  eraseCheck,
  erasedFrame,
  eraseFrame,
  isErased,
  pairEraseToken,
  parseEraseStatement,
  takeFrame,
  type ValidateFrame,
} from '@countersign/core/m-auth';
import {
  passcodeTag,
  signOnPrologue,
  signOnPsk,
  staleNotice,
  tagKeyOf,
} from '@countersign/core/m-auth-record';
import { webNoise } from '@countersign/core/noise-web';
import type { Loose } from '../spec/generator/vector.ts';

const hex = (text: string) => Uint8Array.fromHex(text);

export function readFrame({ frame: written }: Loose): unknown {
  const { frame } = takeFrame(hex(written))!;
  if (encodeFrame(frame).toHex() !== written) throw new Error('another frame');
  return Object.fromEntries(
    Object.entries(frame).map(([name, value]) => [
      name,
      value instanceof Uint8Array
        ? value.toHex()
        : Array.isArray(value)
          ? value.map((tag: Uint8Array) => tag.toHex())
          : value,
    ]),
  );
}

export function readKeys({ ratchet, passcode, validator_key, interface_key, ...pair }: Loose): unknown {
  const tagKey = tagKeyOf(webNoise, hex(ratchet));
  const { tag, proof } = passcodeTag(webNoise, tagKey, passcode);
  return {
    tag_key: tagKey.toHex(),
    tag: tag.toHex(),
    proof: proof.toHex(),
    stale: staleNotice(webNoise, tagKey, passcode).toHex(),
    psk: signOnPsk(webNoise, hex(ratchet), passcode).toHex(),
    prologue: signOnPrologue(pair, tag, hex(validator_key), hex(interface_key)).toHex(),
  };
}

export function readErase({ statement, id }: Loose): unknown {
  const { scope, token } = parseEraseStatement(statement);
  const own = scope === 'pair' ? token : pairEraseToken(webNoise, token, id);
  decodeBase64url(id);
  const frame = eraseFrame(webNoise, own);
  const sent = takeFrame(frame)!.frame as ValidateFrame;
  const erased = erasedFrame(webNoise, { id }, sent);
  const pair = { id, erase: encodeBase64url(own) };
  assert.ok(isErased(webNoise, pair, takeFrame(erased)!.frame));
  return { id, frame: frame.toHex(), erased: erased.toHex(), erase: eraseCheck(webNoise, own) };
}
