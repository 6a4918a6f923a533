/**
 * Vectors of M-AUTH: frames, what is derived, whole sign-ons and pairings, erase statements; and one for each way to
 * be refused.
 * @module
 */
import { decodeBase64url, encodeBase64url } from '@countersign/core';
import {
  encodeFrame,
  eraseCheck,
  erasedFrame,
  eraseFrame,
  type Frame,
  formatEraseStatement,
  type InterfaceRecord,
  pairEraseToken,
  takeFrame,
  type ValidatorRecord,
} from '@countersign/core/m-auth';
import {
  passcodeTag,
  RETIRED_STEPS,
  signOnPrologue,
  signOnPsk,
  staleNotice,
  tagKeyOf,
} from '@countersign/core/m-auth-record';
import { webNoise } from '@countersign/core/noise-web';
import { type PairInput, playPairing, playSignOn, type SignOnInput } from './m-auth-play.ts';
import { invalid, type Vector, type VectorFile, valid } from './vector.ts';
import { seeded } from './world.ts';

const hex = (label: string, length = 32) => seeded(`m-auth ${label}`).randomBytes(length).toHex();
const text = (label: string, length = 32) => encodeBase64url(Uint8Array.fromHex(hex(label, length)));
const ERASE_TOKEN = hex('erase token', 16);
const NAMES = { account: 'alice', host: 'server.example', services: ['login', 'sshd', 'screen lock'] };
const CONTEXT = {
  account: 'alice',
  host: 'server.example',
  service: 'sshd',
  tty: 'ssh',
  remote: 'laptop.example',
  address: '192.0.2.7',
  time: 1_800_000_000,
};

export function mAuthFrames(): VectorFile {
  const [tag, proof, bucket] = [hex('tag', 16), hex('proof', 16), hex('bucket', 16)];
  const bytes = (written: string) => Uint8Array.fromHex(written);
  const good = (name: string, frame: Frame, expect: object) =>
    valid(name, '', { frame: encodeFrame(frame).toHex() }, expect);
  const bad = (name: string, comment: string, frame: string) =>
    invalid(name, comment, 'frame-invalid', { frame });
  const validate = `01${tag}${proof}`;
  return {
    description: 'One frame each, with its length, in hexadecimal.',
    spec: 'm-auth.md#frames',
    vectors: [
      ...(['sign-on', 'pair', 'erase'] as const).flatMap((purpose) => [
        good(
          `request-${purpose}`,
          {
            kind: 'request',
            purpose,
            lifetime: 20_000,
            bucket: bytes(bucket),
            tags: [bytes(tag), bytes(proof)],
          },
          { kind: 'request', purpose, lifetime: 20_000, bucket, tags: [tag, proof] },
        ),
        good(
          `validate-${purpose}`,
          { kind: 'validate', purpose, tag: bytes(tag), proof: bytes(proof) },
          { kind: 'validate', purpose, tag, proof },
        ),
      ]),
      ...(['handshake', 'transport', 'stale', 'erased'] as const).map((kind) =>
        good(kind, { kind, body: bytes('0102') }, { kind, body: '0102' }),
      ),
      good('empty', { kind: 'transport', body: bytes('') }, { kind: 'transport', body: '' }),
      bad('length-zero', 'a frame has a type', '0000'),
      bad('length-too-large', '8193 bytes', `2001${'11'.repeat(8193)}`),
      bad('type-unknown', 'type 7', `0022 07 ${validate}`.replaceAll(' ', '')),
      bad('version-unknown', 'version 2', `0022 02 02${validate.slice(2)}`.replaceAll(' ', '')),
      bad('validate-short', 'one byte less', `0021 02 ${validate.slice(0, -2)}`.replaceAll(' ', '')),
      bad('validate-long', 'one byte more', `0023 02 ${validate}00`.replaceAll(' ', '')),
      bad('request-without-tags', 'at least one', `0016 01 01 00004e20 ${bucket}`.replaceAll(' ', '')),
      bad(
        'request-with-half-a-tag',
        '24 bytes',
        `002e 01 01 00004e20 ${bucket} ${tag}${proof.slice(0, 16)}`.replaceAll(' ', ''),
      ),
      bad(
        'request-with-too-many-tags',
        '129',
        `0826 01 01 00004e20 ${bucket} ${tag.repeat(129)}`.replaceAll(' ', ''),
      ),
    ],
  };
}

async function records(): Promise<{ host: InterfaceRecord; device: ValidatorRecord }> {
  const own = await webNoise.importKey(Uint8Array.fromHex(hex('interface key')));
  const other = await webNoise.importKey(Uint8Array.fromHex(hex('validator key')));
  const id = text('pair', 16);
  const token = pairEraseToken(webNoise, Uint8Array.fromHex(ERASE_TOKEN), id);
  const shared = { id, ...NAMES, step: 3, ratchet: text('ratchet') };
  return {
    host: {
      countersign: 'm-auth interface/1',
      ...shared,
      validator: 'Alice’s phone',
      secret: text('interface key'),
      peer: encodeBase64url(other.publicKey),
      retired: [],
      erase: eraseCheck(webNoise, token),
      failed: 1,
      alarms: 0,
    },
    device: {
      countersign: 'm-auth validator/1',
      ...shared,
      addresses: ['server.example:7421'],
      key: encodeBase64url(other.publicKey),
      peer: encodeBase64url(own.publicKey),
      pending: [],
      erase: encodeBase64url(token),
    },
  };
}

export async function mAuthKeys(): Promise<VectorFile> {
  const { host, device } = await records();
  const one = (label: string, passcode: string): Vector => {
    const ratchet = Uint8Array.fromHex(hex(label));
    const tagKey = tagKeyOf(webNoise, ratchet);
    const { tag, proof } = passcodeTag(webNoise, tagKey, passcode);
    const [validatorKey, interfaceKey] = [device.key, device.peer].map((key) => decodeBase64url(key));
    return valid(
      `${label}-${passcode}`,
      '',
      {
        ratchet: ratchet.toHex(),
        passcode,
        id: host.id,
        host: host.host,
        account: host.account,
        validator_key: validatorKey!.toHex(),
        interface_key: interfaceKey!.toHex(),
      },
      {
        tag_key: tagKey.toHex(),
        tag: tag.toHex(),
        proof: proof.toHex(),
        stale: staleNotice(webNoise, tagKey, passcode).toHex(),
        psk: signOnPsk(webNoise, ratchet, passcode).toHex(),
        prologue: signOnPrologue(host, tag, validatorKey!, interfaceKey!).toHex(),
      },
    );
  };
  return {
    description: 'What a ratchet and a passcode give, and the prologue of their sign-on, in hexadecimal.',
    spec: 'm-auth.md#records',
    vectors: [one('ratchet', '123456'), one('ratchet', '000000'), one('another ratchet', '123456')],
  };
}

export async function mAuthSignOn(): Promise<VectorFile> {
  const { host, device } = await records();
  const base: SignOnInput = {
    interface: host,
    validator: device,
    validator_private_key: hex('validator key'),
    passcode: '123456',
    context: CONTEXT,
    validator_ephemeral: hex('validator ephemeral'),
    interface_ephemeral: hex('interface ephemeral'),
  };
  const handshake = text('a handshake', 16);
  const newest = { ...host, ratchet: text('next ratchet'), step: 4 };
  const unconfirmed: SignOnInput = {
    ...base,
    interface: { ...newest, before: { ratchet: host.ratchet, granted: handshake } },
    validator: { ...device, pending: [handshake] },
  };
  const played = await playSignOn(base);
  const other = await playSignOn({ ...base, validator_ephemeral: hex('another ephemeral') });
  const good = async (name: string, comment: string, input: SignOnInput) =>
    valid(name, comment, input, await playSignOn(input));
  const bad = async (name: string, comment: string, why: string, change: Partial<SignOnInput>) => {
    const input = { ...base, ...change };
    const refused = await playSignOn(input).then(
      () => undefined,
      (error) => error,
    );
    if (refused?.message !== why) throw new Error(`${name}: ${refused?.message ?? 'granted'}, not ${why}`);
    return invalid(name, comment, 'handshake-invalid', { ...input, why });
  };
  const frameOf = (run: typeof played, place: string) => {
    const [from, number] = place.split(' ');
    return run.frames.filter((sent) => sent.from === from)[Number(number) - 1]!.frame;
  };
  const places = ['validator 1', 'validator 2', 'interface 1', 'validator 3', 'interface 2'];
  const whyFlipped = ['forged', 'forged', 'forged', 'forged', 'unknown-forged'];
  const whyReplayed = ['', '', 'forged', 'forged', 'unknown-forged'];
  const flipped = places.map((place, index) => {
    const bytes = Uint8Array.fromHex(frameOf(played, place));
    bytes[bytes.length - 1]! ^= 1;
    const name = `flipped-${place.replace(' ', '-')}`;
    return bad(name, 'one bit turned', whyFlipped[index]!, { delivered: { [place]: bytes.toHex() } });
  });
  const dropped = places.map((place, index) => {
    const why = index === 0 ? 'malformed' : 'lost';
    return bad(`dropped-${place.replace(' ', '-')}`, '', why, { delivered: { [place]: null } });
  });
  const replayed = places.slice(2).map((place, index) => {
    const delivered = { [place]: frameOf(other, place) };
    const name = `replayed-${place.replace(' ', '-')}`;
    return bad(name, 'of another run with the same passcode', whyReplayed[index + 2]!, { delivered });
  });
  const retired = encodeBase64url(tagKeyOf(webNoise, decodeBase64url(host.ratchet)));
  const stolen = { ...device, ratchet: host.ratchet };
  return {
    description:
      'Whole sign-ons, with the ephemeral keys that each side draws. `frames` holds what is sent, the validator’s first; ' +
      '`ratchet` the new one; `interface` and `validator` the records afterwards. `delivered` names frames that somebody puts in ' +
      'another’s place, by who sent them and their number on that side; null is none. `arrives` is when the validator’s frames ' +
      'come, in ms after the gate was opened. An invalid one ends without a grant, or, where only the result is concerned, with a ' +
      'validator that does not take it for one; `why` is what the side says that finds it out, and never leaves it.',
    spec: 'm-auth.md#the-sign-on',
    vectors: [
      await good('plain', 'frames of both sides to the end', base),
      await good('secret', 'handed over to those who pass', {
        ...base,
        secret: { name: 'Wi-Fi', value: 'correct horse' },
      }),
      await good('approvers', 'two, and both agree', { ...base, approvers: [true, true] }),
      await good('last-tick', 'of the gate', { ...base, arrives: 19_999 }),
      await good('step-before', 'the last result did not reach the validator', unconfirmed),
      await good('step-before-unneeded', 'the last message did not reach the interface', {
        ...base,
        interface: { ...host, before: { ratchet: text('old ratchet'), granted: handshake } },
      }),
      await bad('late', 'one tick after the gate', 'unanswered', { arrives: 20_000 }),
      await bad('wrong-passcode', 'joined by a demultiplexer that is not honest', 'forged', {
        typed: '123457',
      }),
      await bad('fake-validator', 'another private key', 'forged', { validator_private_key: hex('thief') }),
      await bad('fake-interface', 'another private key', 'forged', {
        interface: { ...host, secret: text('thief') },
      }),
      await bad('another-pair', 'the keys and the ratchet of this one under another id', 'forged', {
        validator: { ...device, id: text('another pair', 16) },
      }),
      await bad('another-host', 'the name is bound', 'forged', {
        interface: { ...host, host: 'evil.example' },
      }),
      await bad('disabled', 'as if there were no such account', 'forged', {
        interface: { ...host, disabled: true },
      }),
      await bad('old-ratchet', 'a step that is over', 'old-ratchet', {
        interface: { ...newest, retired: [retired, ...Array(RETIRED_STEPS - 1).fill(text('filler', 16))] },
        validator: stolen,
      }),
      await bad('copied', 'the step before, and a grant that this validator knows nothing of', 'copied', {
        ...unconfirmed,
        validator: device,
      }),
      await bad('another-service', 'than the pair is for', 'denied', {
        context: { ...CONTEXT, service: 'sudo' },
      }),
      await bad('denied', 'by the person', 'denied', { answer: 'deny' }),
      await bad('fraud', 'reported by the person', 'fraud', { answer: 'fraud' }),
      await bad('approver-rejects', 'the second', 'approver', { approvers: [true, false] }),
      ...(await Promise.all([...flipped, ...dropped, ...replayed])),
    ],
  };
}

export async function mAuthPairing(): Promise<VectorFile> {
  const base: PairInput = {
    pair_code: 'AEBA-GBAF-AYDQ-QCIK-BMGA-2DQP',
    ...NAMES,
    device_name: 'Alice’s phone',
    address: 'server.example:7421',
    id: hex('pair', 16),
    erase_token: ERASE_TOKEN,
    validator_private_key: hex('validator key'),
    interface_private_key: hex('interface key'),
    validator_ephemeral: hex('validator ephemeral'),
    interface_ephemeral: hex('interface ephemeral'),
  };
  const played = await playPairing(base);
  const places = [
    'validator 1',
    'validator 2',
    'interface 1',
    'validator 3',
    'interface 2',
    'validator 4',
    'interface 3',
  ];
  const why = ['interrupted', 'interrupted', 'forged', 'forged', 'forged', 'forged', 'unknown'];
  const flipped = places.map(async (place, index) => {
    const [from, number] = place.split(' ');
    const bytes = Uint8Array.fromHex(
      played.frames.filter((sent) => sent.from === from)[Number(number) - 1]!.frame,
    );
    bytes[bytes.length - 1]! ^= 1;
    const input = { ...base, delivered: { [place]: bytes.toHex() } };
    const refused = await playPairing(input).then(
      () => undefined,
      (error) => error,
    );
    if (refused?.message !== why[index]) throw new Error(`${place}: ${refused?.message}, not ${why[index]}`);
    return invalid(`flipped-${place.replace(' ', '-')}`, 'one bit turned', 'handshake-invalid', {
      ...input,
      why: why[index],
    });
  });
  return {
    description:
      'Whole pairings, with what each side draws: the validator the pair’s `id`, each side a static and an ephemeral key. ' +
      '`frames`, `ratchet`, `delivered` and `why` are as in m-auth-sign-on.json.',
    spec: 'm-auth.md#pairing',
    vectors: [
      valid('plain', 'frames of both sides to the end', base, played),
      invalid('another-code', 'joined by a demultiplexer that is not honest', 'handshake-invalid', {
        ...base,
        typed: 'AEBA-GBAF-AYDQ-QCIK-BMGA-2DQQ',
        why: 'interrupted',
      }),
      ...(await Promise.all(flipped)),
    ],
  };
}

export async function mAuthErase(): Promise<VectorFile> {
  const { host } = await records();
  const all = Uint8Array.fromHex(ERASE_TOKEN);
  const pair = pairEraseToken(webNoise, all, host.id);
  const statement = formatEraseStatement({ scope: 'all', token: all });
  const bytes = eraseFrame(webNoise, pair);
  const { frame } = takeFrame(bytes)!;
  if (frame.kind !== 'validate') throw new TypeError('another frame');
  const expect = {
    id: host.id,
    frame: bytes.toHex(),
    erased: erasedFrame(webNoise, host, frame).toHex(),
  };
  const bad = (name: string, comment: string, written: string) =>
    invalid(name, comment, 'erase-invalid', { statement: written, id: host.id });
  return {
    description:
      'Erase statements, the frame that kills the pair `id`, which keeps the `erase` of `expect`, and the frame by which its host ' +
      'says that it is gone. A statement for one pair is of no other.',
    spec: 'm-auth.md#erasing',
    vectors: [
      valid(
        'all',
        'of every pair of the validator',
        { statement, id: host.id },
        { ...expect, erase: host.erase },
      ),
      valid(
        'pair',
        'of this one',
        { statement: formatEraseStatement({ scope: 'pair', token: pair }), id: host.id },
        { ...expect, erase: host.erase },
      ),
      valid(
        'typed',
        'small letters, no groups',
        { statement: ` ${statement.toLowerCase().replaceAll(/(?<=all:.*)-/g, '')} `, id: host.id },
        { ...expect, erase: host.erase },
      ),
      bad('cut', 'a letter is missing', statement.slice(0, -1)),
      bad(
        'stray-bits',
        'the last letter has bits that count for nothing',
        `${statement.slice(0, -1)}${statement.at(-1) === 'Z' ? 'Y' : 'Z'}`,
      ),
      bad('scope', 'for none', statement.replace(':all:', ':none:')),
      bad('scheme', 'of something else', statement.replace('-erase', '')),
    ],
  };
}
