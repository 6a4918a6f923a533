/**
 * Who may ask: added by link or QR code, blocked and unblocked, and called what this person likes.
 * @module
 */
import type { Responder } from '@countersign/client';
import { type Contact, isAccountLink, parseAccountName, provenDomains } from '@countersign/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import { usePress } from '../kit/press.ts';
import { type Asker, readAsker, setPetname } from './asker.ts';
import { explain } from './explain.ts';
import { accountLinkIn, linkOfPage } from './links.ts';
import { Scan } from './scan.tsx';
import { say, time } from './words.ts';

export function People({ responder }: { responder: Responder }) {
  const [contacts, setContacts] = useState<readonly Contact[]>();
  const { failure, press } = usePress(explain);
  const [said, setSaid] = useState('');
  const look = async () => {
    const { contacts } = await responder.contacts.read();
    setContacts([...contacts.values()].sort((a, b) => a.name.localeCompare(b.name)));
  };
  const act = (work: () => Promise<string>) =>
    press(async () => {
      setSaid('');
      setSaid(await work());
      await look();
    });
  useEffect(() => void act(async () => ''), []);
  const change = (contact: Contact, policy: 'allow' | 'block' | 'forget') =>
    act(async () => {
      await responder.contacts.change(contact, policy);
      if (policy === 'forget') await responder.session.book.forget(contact.name);
      return say(`people.did.${policy}`, { name: contact.name });
    });
  return (
    <main class="narrow">
      <h1>{say('people.title')}</h1>
      <p role="status">{said}</p>
      {contacts?.length === 0 && <p class="empty">{say('people.none')}</p>}
      <ul class="list">
        {contacts?.map((contact) => (
          <Row
            key={contact.identity}
            responder={responder}
            contact={contact}
            onChange={(to) => change(contact, to)}
          />
        ))}
      </ul>
      <Add responder={responder} act={act} />
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}

interface RowProperties {
  readonly responder: Responder;
  readonly contact: Contact;
  onChange(policy: 'allow' | 'block' | 'forget'): void;
}

function Row({ responder, contact, onChange }: RowProperties) {
  const [asker, setAsker] = useState<Asker>();
  useEffect(() => {
    readAsker(responder, contact, false).then(setAsker, () => {});
  }, []);
  const { name, policy } = contact;
  return (
    <li>
      <span>
        <strong>{name}</strong>{' '}
        <em class={policy === 'block' ? 'warning' : 'quiet'}>{say(`people.${policy}ed`)}</em>
        {asker?.card !== undefined && <br />}
        {asker?.card !== undefined &&
          say('question.card', { name: asker.card.name, country: asker.card.country })}
        {provenDomains(asker?.domains ?? []).map(({ domain, at }) => (
          <span class="verified" key={domain}>
            <br />
            {say('question.domain', { domain, time: time(at) })}
          </span>
        ))}
        <br />
        <code class="quiet">{asker?.fingerprint}</code>
        {asker !== undefined && (
          <label>
            {say('people.petname')}
            <input
              defaultValue={asker.petname ?? ''}
              maxLength={60}
              onChange={(event) =>
                void setPetname(responder, contact.identity, event.currentTarget.value.trim())
              }
            />
          </label>
        )}
      </span>
      <span class="row">
        {policy === 'allow' ? (
          <button
            type="button"
            class="danger"
            onClick={() => onChange('block')}
            aria-label={`${say('people.block')}: ${name}`}
          >
            {say('people.block')}
          </button>
        ) : (
          <button
            type="button"
            class="plain"
            onClick={() => onChange('allow')}
            aria-label={`${say('people.unblock')}: ${name}`}
          >
            {say('people.unblock')}
          </button>
        )}
        <button
          type="button"
          class="plain"
          onClick={() => onChange('forget')}
          aria-label={`${say('people.forget')}: ${name}`}
        >
          {say('people.forget')}
        </button>
      </span>
    </li>
  );
}

function Add({
  responder,
  act,
}: {
  responder: Responder;
  act(work: () => Promise<string>): Promise<unknown>;
}) {
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const typed = field.current!.value.trim();
    void act(async () => {
      const { book, keys } = responder.session;
      const bare = !isAccountLink(typed) && !typed.includes('#');
      const link = bare ? undefined : accountLinkIn(typed);
      if (link !== undefined && link.broker !== keys.broker)
        return say('people.otherBroker', { broker: link.broker });
      const { log, binding } =
        link === undefined
          ? await book.find(parseAccountName(typed), 60)
          : await book.bind(link.name, link.identity, 'link');
      await responder.contacts.change(log, 'allow');
      field.current!.value = '';
      if (location.hash.startsWith('#countersign:')) history.replaceState(null, '', '/#people');
      return say(binding === 'first-use' ? 'people.did.firstUse' : 'people.did.allow', { name: log.name });
    });
  };
  return (
    <section>
      <h2>{say('people.add')}</h2>
      <Scan
        label={say('people.scan')}
        onText={(text) => {
          field.current!.value = text;
        }}
      />
      <form onSubmit={submit}>
        <label>
          {say('people.link')}
          <input
            ref={field}
            required
            defaultValue={linkOfPage() ?? ''}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
        </label>
        <button type="submit">{say('people.allow')}</button>
      </form>
    </section>
  );
}
