import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  beginSignIn,
  checkSignedText,
  Members,
  MemoryStateStore,
  readSeat,
  recommend,
  signText,
} from '@countersign/client';
import { createDigestSession } from '@countersign/core/digest-session';
import { webCrypto } from '@countersign/core/webcrypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type MailServer, startMailServer } from './mail-server.ts';
import { introduce, makeParty, newcomer, startTestBroker, type TestBroker, TestClock } from './parties.ts';
import { Customer, publishCard, startAgent } from './session-parties.ts';

interface Described {
  paths: Record<
    string,
    Record<
      string,
      {
        responses: Record<string, { content?: Record<string, { schema: object }> }>;
        'x-errors'?: string[];
      }
    >
  >;
}

interface Seen {
  method: string;
  path: string;
  status: number;
  body: unknown;
}

const clock = new TestClock();
const honest = globalThis.fetch;
const seen: Seen[] = [];
let home: TestBroker;
let smtp: MailServer;

before(async () => {
  smtp = await startMailServer();
  home = await startTestBroker(clock, { mail: { url: smtp.url, from: 'notices@broker.example' } });
  globalThis.fetch = async (input, init) => {
    const answer = await honest(input, init);
    const { pathname } = new URL(String(input));
    const body: unknown = await answer.clone().json();
    seen.push({ method: (init?.method ?? 'GET').toLowerCase(), path: pathname, status: answer.status, body });
    return answer;
  };
});
after(async () => {
  globalThis.fetch = honest;
  await home[Symbol.asyncDispose]();
  await smtp[Symbol.asyncDispose]();
});

test('the description is OpenAPI 3.1', async () => {
  const result = await new Validator().validate(await (await honest(`${home.origin}/openapi.json`)).json());
  assert.ok(result.valid, JSON.stringify(result.errors));
});

test('every answer of a whole story, refusals too, is as the description says', async () => {
  await tellStory();
  const { paths } = (await (await honest(`${home.origin}/openapi.json`)).json()) as Described;
  const ajv = new Ajv2020({ strict: false, formats: { uri: true, email: true } });
  const told = new Set<string>();
  for (const { method, path, status, body } of seen) {
    const template = Object.keys(paths).find((one) => asPattern(one).test(path));
    assert.ok(template !== undefined, `${path} is described`);
    const { responses, 'x-errors': errors = [] } = paths[template]![method]!;
    if (status >= 400) {
      const { code } = body as { code: string };
      assert.ok(errors.includes(code), `${method} ${template}: ${code} is described`);
    }
    const described = responses[status] ?? responses[`${String(status)[0]}XX`];
    const schema = described?.content?.['application/json']?.schema;
    assert.ok(schema !== undefined, `${method} ${template} ${status} is described`);
    assert.ok(
      ajv.validate(schema, body),
      `${method} ${template}: ${ajv.errorsText()}: ${JSON.stringify(body)}`,
    );
    told.add(`${method} ${template}`);
  }
  const untold = Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
    .filter((route) => !told.has(route));
  assert.deepEqual(untold, ['get /health', 'get /v1/accounts/{name}/stream']);
});

/** Touches every route, and gets some refusals. */
async function tellStory(): Promise<void> {
  const alice = await makeParty(home.origin, 'alice@example.com', clock);
  const host = await makeParty(home.origin, 'host@example.com', clock);
  const early = await host.enquirer.ask({ account: alice.name, text: 'A stranger asks' });
  await alice.device.pending();
  await introduce(alice, host);
  await host.enquirer.cancel(early.hash);
  const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
  const { requests } = await alice.device.pending();
  await alice.device.answer(requests[0]!, { decision: 'fraud', shown: 'screen' });
  await host.enquirer.wait(asked.hash);
  await alice.device.receipt(asked.hash);
  const asker = host.device.session;
  await asker.api.noteTwoWay(asker.keys.signer, host.name, asked.hash);
  await asker.api.endTwoWay(asker.keys.signer, host.name, asked.hash, 'fraud');
  await alice.device.history();
  await host.enquirer.ask({ account: alice.name, text: 'Paused' }).catch(() => {});
  await host.enquirer.session.book.find('nobody@example.com', 0).catch(() => {});
  await host.enquirer.session.api.readTreeProof(1, 2);
  await host.enquirer.session.api.readTreeProof(2, 1_000_000).catch(() => {});
  const [phone, tablet] = [newcomer(clock), newcomer(clock)];
  const link = await alice.device.devices.invite('knock');
  await alice.device.devices.invite('admit');
  await alice.device.invitations.cancel((await alice.device.invitations.list())[1]!);
  const { code } = await phone.knock(link);
  await tablet.knock(link);
  const { waiting } = await alice.device.devices.door();
  await alice.device.devices.accept(waiting[0]!, code);
  await alice.device.devices.reject(waiting[1]!);
  await phone.complete();
  await tablet.complete();
  await tablet.knock({ ...link, pin: 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA' }).catch(() => {});
  const { name, identity } = host.device.session.keys;
  const room = await alice.device.rooms.create('Lunch', [{ name, identity }]);
  await alice.device.rooms.send(room, 'Where?');
  await publishCard(host);
  const { api: hosts, keys: hosted } = host.device.session;
  await hosts.readCard(host.name);
  await hosts.readPicture(host.name);
  await hosts.listDomains(hosted.signer, host.name, false);
  await hosts.listDomains(hosted.signer, host.name, true);
  await recommend(alice.device.session, host.name, { recommends: true });
  await hosts.readProfile(host.name);
  await hosts.listRecommended(hosted.signer, host.name);
  await hosts.readRecommended(hosted.signer, host.name, alice.name);
  await hosts.listAsked(hosted.signer, host.name);
  await hosts.countAsked(hosted.signer, host.name);
  const agent = await startAgent(host, '12345');
  const customer = new Customer(home.origin);
  const { keys: own, api } = host.device.session;
  await api.changeSession(own.signer, own.name, agent.payload.sid, 'reveal').catch(() => {});
  await customer.open(agent.token);
  const matched = await customer.try(agent.payload, '12345');
  await matched!.seen();
  await agent.reveal();
  await new Customer(home.origin).open(agent.token);
  await agent.delete();
  await api.listSessions(own.signer, own.name);
  await api.readSessionHistory(own.signer, own.name, 1);
  const made = await createDigestSession(webCrypto, own.signer, await host.device.session.ownLog(), {
    fields: [{ name: 'Number', type: 'number' }],
    values: ['1'],
    lifetime: 30,
    broker: home.origin,
    now: clock.now(),
  });
  const { digest, nonce } = made.posted;
  await api.startSession(made.statement.jws, { digest, nonce });
  const receiver = new Customer(home.origin);
  await receiver.open(made.token);
  await receiver.compare(made.statement.payload.sid, 'A'.repeat(43));
  await receiver.compare(made.statement.payload.sid, digest);
  const signed = await signText(host.device.session, { text: 'Our new address' });
  const around = { crypto: webCrypto, clock, state: new MemoryStateStore() };
  await checkSignedText(around, signed, 'Our new address');
  await checkSignedText(around, { ...signed, hash: 'A'.repeat(43) }, 'another').catch(() => {});
  await api.listTextSignatures(own.signer, own.name);
  const { p256dh, auth } = { p256dh: `BL${'A'.repeat(85)}`, auth: 'A'.repeat(22) };
  const subscription = { endpoint: 'https://push.example/x', keys: { p256dh, auth } };
  await api.subscribePush(own.signer, own.name, subscription).catch(() => {});
  await api.unsubscribePush(own.signer, own.name);
  await host.device.reached();
  const carol = await makeParty(home.origin, 'carol@example.com', clock);
  await introduce(carol, host);
  const members = new Members(host.device.session);
  await members.change(carol.name, 'agent').catch(() => {});
  await members.change(carol.name, 'owner');
  const organisation = { broker: home.origin, organisation: host.name, member: carol.name };
  const signIn = await beginSignIn({ ...organisation, ...around, language: 'en' });
  const [wanted] = (await carol.device.pending()).requests;
  await carol.device.answer(wanted!, { decision: 'accept', shown: 'screen', passcode: signIn.passcode });
  const outcome = await signIn.wait();
  assert.ok(outcome.outcome === 'accepted');
  await readSeat(host.device.session, outcome.seat.hash);
  await api.readSeat('A'.repeat(43)).catch(() => {});
  await api.signOut(outcome.keys.signer, host.name);
  await api.listSessions(outcome.keys.signer, host.name).catch(() => {});
  const { addresses } = host.device;
  const mailbox = 'host@mail.example';
  await addresses.add(mailbox);
  const mailed = /^(\d{6}) is/m.exec(await smtp.mailTo(mailbox))![1]!;
  await addresses.confirm(mailbox, '000000').catch(() => {});
  await addresses.confirm(mailbox, mailed);
  await addresses.list();
  await addresses.remove(mailbox);
  await addresses.remove(mailbox).catch(() => {});
  const log = await alice.device.session.ownLog();
  await alice.device.session.api.appendLog(alice.name, [...log.entries]).catch(() => {});
}

function asPattern(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
}
