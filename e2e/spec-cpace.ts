/**
 * Reads the published vectors of CPace by our core.
 * @module
 */
import { lvCat } from '@countersign/core';
import {
  type CpaceShare,
  calculateGenerator,
  generatorString,
  scalarMult,
  scalarMultVerify,
  sharedKey,
  startCpace,
  transcript,
} from '@countersign/core/cpace';
import { drawing } from '../spec/generator/session-play.ts';
import type { Loose } from '../spec/generator/vector.ts';

const hex = (text: string) => Uint8Array.fromHex(text);

export function readCpace(input: Loose): unknown {
  const inputs = () => ({ password: hex(input.PRS), channel: hex(input.CI), session: hex(input.sid) });
  const shareA = (): CpaceShare => ({ share: hex(input.Ya), data: hex(input.ADa) });
  const shareB = (): CpaceShare => ({ share: hex(input.Yb), data: hex(input.ADb) });
  switch (input.op) {
    case 'lv_cat':
      return { result: lvCat(...input.parts.map(hex)).toHex() };
    case 'transcript_ir':
      return { result: transcript(shareA(), shareB()).toHex() };
    case 'calculate_generator':
      return {
        generator_string: generatorString(inputs()).toHex(),
        g: calculateGenerator(inputs()).toHex(),
      };
    case 'scalar_mult_generator':
      return { result: scalarMult(hex(input.scalar), calculateGenerator(inputs())).toHex() };
    case 'scalar_mult_vfy':
      return { result: scalarMultVerify(hex(input.scalar), hex(input.element)).toHex() };
    case 'isk':
      return { result: sharedKey(hex(input.sid), hex(input.K), shareA(), shareB()).toHex() };
    case 'run': {
      const a = startCpace(drawing(input.ya), 'initiator', inputs(), hex(input.ADa));
      const b = startCpace(drawing(input.yb), 'responder', inputs(), hex(input.ADb));
      const key = a.finish(shareB());
      if (b.finish(a.sent).isk.toHex() !== key.isk.toHex()) throw new Error('two keys of one run');
      return { ISK: key.isk.toHex() };
    }
    default:
      throw new TypeError(`no such operation: ${input.op}`);
  }
}
