/**
 * Vectors of organisations' profiles: cards, domains, recommendations.
 * @module
 */
import {
  CardStatement,
  createCard,
  createDomainCheck,
  createRecommendation,
  createRevocation,
  DomainCheckStatement,
  type DomainProof,
  type ErrorCode,
  extendLog,
  formatAccountLink,
  namesAccount,
  RecommendationStatement,
  verifyCard,
  verifyDomainCheck,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { newAccount, withDevice } from './accounts.ts';
import { expectOf } from './kinds.ts';
import { OTHER_HASH } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  TOO_LARGE,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { BROKER, NOW, OTHER_BROKER, signLoose, type TestDevice, testSigner } from './world.ts';

const BANK = 'help@bank.example';
const DAY = 86_400;

export async function card(memory: Memory): Promise<VectorFile> {
  const bank = await withDevice(await newAccount(memory, BANK), 'till', { rights: ['ask'] });
  const [owner, till] = bank.devices as [TestDevice, TestDevice];
  const { entries } = bank.log;
  const words = { seq: 1, name: 'Bank of Examples', description: 'Your bank, since 1888', country: 'DE' };
  const make = async (more: object, by = owner) =>
    (await createCard(webCrypto, by.signer, bank.log, { ...words, ...more }, NOW)).jws;
  const good = async (name: string, comment: string, more: object) => {
    const statement = await make(more);
    await verifyCard(webCrypto, statement, bank.log);
    return valid(name, comment, { statement, entries }, await expectOf(statement, owner));
  };
  const bad = (name: string, comment: string, code: ErrorCode, statement: string) =>
    invalid(name, comment, code, { statement, entries });
  const whole = {
    picture: OTHER_HASH,
    team: 12,
    domains: ['bank.example', 'xn--bnk-qla.example'],
    recommenders: [OTHER_HASH],
  };
  const full = await make(whole);
  const payload = payloadOf(full);
  const loose = (changed: object, by = owner) => signLoose(by, 'card', { ...payload, ...changed });
  const refusals: readonly (readonly [name: string, comment: string, changed: object])[] = [
    ['name-bidi', 'a name that turns the direction', { name: 'Bank\u202eknab' }],
    ['name-long', 'a name of 65 bytes', { name: 'x'.repeat(65) }],
    ['country-small', 'small letters', { country: 'de' }],
    ['team-none', 'nobody', { team: 0 }],
    ['team-half', 'half a person', { team: 1.5 }],
    ['seq-zero', 'counted from 0', { seq: 0 }],
    ['seq-large', 'beyond 2^53', { seq: TOO_LARGE }],
    ['domains-six', 'six domains', { domains: Array.from({ length: 6 }, (_, i) => `b${i}.example`) }],
    ['domains-twice', 'a domain twice', { domains: ['bank.example', 'bank.example'] }],
    ['domain-one-label', 'a name of one label', { domains: ['localhost'] }],
    ['domain-address', 'an address', { domains: ['127.0.0.1'] }],
    ['domain-capital', 'a capital letter', { domains: ['Bank.example'] }],
    ['domain-dot', 'a dot at the end', { domains: ['bank.example.'] }],
    ['recommenders-twice', 'a recommender twice', { recommenders: [OTHER_HASH, OTHER_HASH] }],
    ['picture-short', 'no hash', { picture: OTHER_HASH.slice(1) }],
    ['member-more', 'a further member', { more: 1 }],
  ];
  const vectors: Vector[] = [
    await good('plain', 'without picture, team, domains and recommenders', {}),
    valid('whole', 'with all of them', { statement: full, entries }, await expectOf(full, owner)),
    bad('signature-flipped', 'one bit of the signature turned', 'signature-invalid', flipSignature(full)),
    bad('no-right', 'by a device that may not admit', 'device-not-entitled', await make({}, till)),
    bad('other-name', 'of another account', 'account-mismatch', await loose({ sub: 'help@bunk.example' })),
    bad(
      'other-identity',
      'of another account of that name',
      'account-mismatch',
      await loose({ sub_id: OTHER_HASH }),
    ),
  ];
  for (const [name, comment, changed] of refusals)
    vectors.push(bad(name, comment, 'statement-malformed', await loose(changed)));
  return {
    description: `A statement of type \`${CardStatement.typ}\`, verified by the log \`entries\`.`,
    spec: 'profiles.md#card',
    vectors,
  };
}

export async function domainNames(memory: Memory): Promise<VectorFile> {
  const { log } = await newAccount(memory, BANK);
  const account = { name: log.name, identity: log.identity };
  const link = formatAccountLink({ ...account, broker: BROKER });
  const judged = (name: string, comment: string, texts: readonly string[]) =>
    valid(name, comment, { texts, account }, { names: namesAccount(texts, account) });
  return {
    description: 'Whether the `texts` of a domain name the `account`.',
    spec: 'profiles.md#proving-a-domain',
    vectors: [
      judged('named', 'its link', [link]),
      judged('among-others', 'beside what is no link, and another account’s', [
        'v=spf1 -all',
        formatAccountLink({ ...account, identity: OTHER_HASH, broker: BROKER }),
        link,
      ]),
      judged('other-broker', 'its link at another broker', [
        formatAccountLink({ ...account, broker: OTHER_BROKER }),
      ]),
      judged('nothing', 'no text', []),
      judged('name-alone', 'its name, which anybody could have elsewhere', [log.name]),
      judged('other-identity', 'another account of that name', [
        formatAccountLink({ ...account, identity: OTHER_HASH, broker: BROKER }),
      ]),
      judged('other-account', 'another account', [
        formatAccountLink({ ...account, name: 'help@bunk.example', broker: BROKER }),
      ]),
      judged('two-identities', 'a link with two identities', [`${link}&id=${OTHER_HASH}`]),
      judged('within', 'a link within a text', [`see ${link}`]),
    ],
  };
}

export async function domainCheck(memory: Memory): Promise<VectorFile> {
  const broker = await testSigner(memory, 'broker key', 'EdDSA');
  const { log } = await newAccount(memory, BANK);
  const account = { name: log.name, identity: log.identity };
  const proofs: DomainProof[] = [
    { domain: 'bank.example', by: 'dns', at: NOW },
    { domain: 'bank.example', by: 'well-known', at: NOW - 100 },
    { domain: 'scam.example', by: 'dns', at: NOW },
  ];
  const { jws } = await createDomainCheck(webCrypto, broker, BROKER, account, proofs, NOW);
  const about = { key: broker.publicKey, broker: BROKER, account };
  const claims = ['bank.example'];
  const judged = async (name: string, comment: string, claimed: readonly string[], now: number) => {
    const by = { origin: BROKER, key: broker.publicKey };
    const found = await verifyDomainCheck(webCrypto, jws, by, account, claimed, now);
    return valid(name, comment, { statement: jws, ...about, claimed, now }, { proofs: found });
  };
  const bad = (name: string, comment: string, code: ErrorCode, statement: string, changed: object = {}) =>
    invalid(name, comment, code, { statement, ...about, claimed: claims, now: NOW, ...changed });
  const signed = async (changed: object) => {
    const made = await createDomainCheck(webCrypto, broker, BROKER, { ...account, ...changed }, proofs, NOW);
    return made.jws;
  };
  const vectors: Vector[] = [
    await judged('claimed', 'what the card claims', claims, NOW),
    await judged('unclaimed', 'a card that claims nothing', [], NOW),
    await judged('one-left', 'a day after one of two was found', claims, NOW - 100 + DAY),
    await judged('old', 'a day after each was found', claims, NOW + DAY),
    await judged('clock-behind', 'a minute before it was found', claims, NOW - 60),
    await judged('future', 'a minute and a second before', claims, NOW - 61),
    bad('other-broker', 'in the name of another broker', 'domain-check-invalid', jws, {
      broker: OTHER_BROKER,
    }),
    bad(
      'other-name',
      'of another account',
      'domain-check-invalid',
      await signed({ name: 'help@bunk.example' }),
    ),
    bad(
      'other-identity',
      'of another account of that name',
      'domain-check-invalid',
      await signed({ identity: OTHER_HASH }),
    ),
    bad('signature-flipped', 'one bit of the signature turned', 'signature-invalid', flipSignature(jws)),
  ];
  for (const { path, jws: statement } of flipMembers(jws, {
    iss: OTHER_BROKER,
    'proofs.0.by': 'well-known',
    'proofs.1.by': 'dns',
    'proofs.2.by': 'well-known',
  }))
    vectors.push(
      bad(`${path}-flipped`, `${path} changed under the old signature`, 'signature-invalid', statement),
    );
  return {
    description: `A statement of type \`${DomainCheckStatement.typ}\` by the broker \`broker\` of \`key\`, and what it says of the \`account\`, whose card claims \`claimed\`, at the time \`now\`.`,
    spec: 'profiles.md#domain-check',
    vectors,
  };
}

export async function recommendation(memory: Memory): Promise<VectorFile> {
  const founded = await newAccount(memory, 'office@chamber.example');
  const chamber = await withDevice(founded, 'phone', { rights: ['ask', 'admit', 'recover'] });
  const clerk = await withDevice(founded, 'clerk', { rights: ['ask'] });
  const [laptop, phone] = chamber.devices as [TestDevice, TestDevice];
  const { entries } = chamber.log;
  const { log: bank } = await newAccount(memory, BANK);
  const subject = { name: bank.name, identity: bank.identity };
  const word = { seq: 1, recommends: true, text: 'A member since 1901' };
  const made = await createRecommendation(webCrypto, laptop.signer, chamber.log, subject, word, NOW);
  const { jws } = made;
  const back = await createRecommendation(
    webCrypto,
    laptop.signer,
    chamber.log,
    subject,
    { seq: 2, recommends: false },
    NOW,
  );
  const payload = payloadOf(jws);
  const loose = (changed: object, by = laptop) => signLoose(by, 'recommendation', { ...payload, ...changed });
  const judged = async (
    name: string,
    comment: string,
    statement: string,
    now: number,
    stands: boolean,
    log = entries,
  ) =>
    valid(
      name,
      comment,
      { statement, entries: log, subject, now },
      { ...(await expectOf(statement, laptop)), stands },
    );
  const bad = (name: string, comment: string, code: ErrorCode, statement: string, log = entries) =>
    invalid(name, comment, code, { statement, entries: log, subject, now: NOW });
  const without = async (reason: 'retired' | 'lost') => {
    const gone = await createRevocation(webCrypto, chamber.log, phone.signer, laptop.kid, reason, NOW);
    return (await extendLog(webCrypto, chamber.log, [gone.jws])).entries;
  };
  const weak = await createRecommendation(webCrypto, clerk.devices[1]!.signer, clerk.log, subject, word, NOW);
  const vectors: Vector[] = [
    await judged('stands', 'as it was said', jws, NOW, true),
    await judged('last-day', 'a second before its end', jws, NOW + 366 * DAY - 1, true),
    await judged('over', 'after 366 days', jws, NOW + 366 * DAY, false),
    await judged('future', 'a minute and a second before it was said', jws, NOW - 61, false),
    await judged('taken-back', 'the word that takes it back', back.jws, NOW, false),
    await judged('retired', 'by a device that was retired since', jws, NOW, true, await without('retired')),
    bad('lost', 'by a device that was lost since', 'device-revoked', jws, await without('lost')),
    bad('shorter-log', 'the device knew more of the log', 'log-rollback', jws, entries.slice(0, 1)),
    bad(
      'other-issuer',
      'by another account',
      'account-mismatch',
      await loose({ iss: 'office@other.example' }),
    ),
    bad(
      'other-issuer-identity',
      'by another account of that name',
      'account-mismatch',
      await loose({ iss_id: OTHER_HASH }),
    ),
    bad(
      'other-subject',
      'for another account',
      'account-mismatch',
      await loose({ sub: 'help@bunk.example' }),
    ),
    bad(
      'other-subject-identity',
      'for another account of that name',
      'account-mismatch',
      await loose({ sub_id: OTHER_HASH }),
    ),
    bad(
      'other-head',
      'the device knew another log',
      'log-fork',
      await loose({ head: { ...payload.head, hash: OTHER_HASH } }),
    ),
    bad('no-right', 'by a device that may not admit', 'device-not-entitled', weak.jws, clerk.log.entries),
    bad('seq-zero', 'counted from 0', 'statement-malformed', await loose({ seq: 0 })),
    bad(
      'text-bidi',
      'a text that turns the direction',
      'statement-malformed',
      await loose({ text: 'a\u202eb' }),
    ),
    bad('member-more', 'a further member', 'statement-malformed', await loose({ more: 1 })),
    bad('signature-flipped', 'one bit of the signature turned', 'signature-invalid', flipSignature(jws)),
  ];
  return {
    description: `A statement of type \`${RecommendationStatement.typ}\`, verified by the log \`entries\` of who gave it, and whether it stands for the account \`subject\` at the time \`now\`.`,
    spec: 'profiles.md#recommendation',
    vectors,
  };
}
