/**
 * Pairing: what the host shows is scanned or pasted, the person says whether it is the host that they mean, and gets
 * the erase statement with the first pair.
 * @module
 */
import { systemClock } from '@countersign/client';
import { browserModel, browserSystem } from '@countersign/client/browser';
import { joinPair, reachByWebSocket, type ValidatorBook } from '@countersign/client/m-auth';
import { encodeBase64url, isDisplayLine, makeVisible } from '@countersign/core';
import { formatEraseStatement, PairJoin, type PairNames } from '@countersign/core/m-auth';
import { webNoise } from '@countersign/core/noise-web';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Scan } from '../authenticator/scan.tsx';
import { EraseText, Print } from './erase-statement.tsx';
import { type KeepErasures, KeepForDevices } from './keep-for-devices.tsx';
import { pairLinkIn, readPairLink } from './links.ts';
import { explain, say } from './words.ts';

interface Properties {
  readonly book: ValidatorBook;
  /** What the page was opened by. */
  readonly link: string;
  /** Where other devices can be given what kills a pair. */
  readonly keep: KeepErasures | undefined;
  onDone(said?: string): void;
}

interface Offer {
  readonly names: PairNames;
  answer(yes: boolean): void;
}

const MAX_NAME = 60;
const MAX_DEVICE_BYTES = 64;

export function PairScreen({ book, link, keep, onDone }: Properties) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const [offer, setOffer] = useState<Offer>();
  const [erase, setErase] = useState<{ readonly text: string; readonly said: string }>();
  const form = useRef<HTMLFormElement>(null);
  const where = useRef<HTMLInputElement>(null);
  const label = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = say('pair.title');
    // What the page was opened by is used once.
    if (pairLinkIn(location.hash) !== undefined) history.replaceState(null, '', '#validator');
  }, []);

  const pair = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    const data = new FormData(form.current!);
    const field = (name: string) => String(data.get(name) ?? '');
    setBusy(true);
    setFailure('');
    let made: string | undefined;
    let kept = false;
    try {
      const parsed = readPairLink(field('link'), field('at'));
      if (!parsed.addresses.some((address) => /^wss?:/i.test(address))) {
        setFailure(say('pair.unreachableByBrowser'));
        return;
      }
      if (!isDisplayLine(field('device'), MAX_DEVICE_BYTES)) {
        setFailure(say('error.input-invalid'));
        return;
      }
      const first = (await book.list()).length === 0;
      const eraseMaster = await book.eraseMaster();
      const key = await book.keys.create();
      made = encodeBase64url(key.publicKey);
      const join = new PairJoin({ crypto: webNoise, link: parsed, key, name: field('device'), eraseMaster });
      let name = '';
      const confirm = async (names: PairNames) => {
        const answered = Promise.withResolvers<boolean>();
        setOffer({ names, answer: answered.resolve });
        if (!(await answered.promise)) return false;
        name = await book.checkLabel(label.current!.value.trim());
        return true;
      };
      const duplex = await reachByWebSocket(parsed.addresses);
      const { outcome } = await joinPair(join, duplex, systemClock, confirm, async (record) => {
        await book.add(name, record);
        kept = true;
      });
      if (outcome !== 'paired' && outcome !== 'unknown') {
        setFailure(say(`pair.${outcome}`));
        return;
      }
      const said = outcome === 'paired' ? say('pair.done', { name }) : say('pair.unknown');
      if (first || keep !== undefined)
        setErase({ text: formatEraseStatement({ scope: 'all', token: eraseMaster }), said });
      else onDone(said);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
      setOffer(undefined);
      if (made !== undefined && !kept) await book.keys.forget(made);
    }
  };

  if (erase !== undefined) {
    return (
      <main class="narrow">
        <h1>{say('erase.title')}</h1>
        <p role="status">{erase.said}</p>
        <p>{say('erase.lead')}</p>
        <EraseText text={erase.text} />
        {keep !== undefined && <KeepForDevices keep={keep} book={book} />}
        <div class="row">
          <Print />
          <button type="button" onClick={() => onDone(erase.said)}>
            {say('erase.kept')}
          </button>
        </div>
      </main>
    );
  }
  if (offer !== undefined) {
    const { account, host, services } = offer.names;
    const line = say('line', { account, host });
    return (
      <main class="narrow">
        <h1>{say('pair.ask')}</h1>
        <p>
          <strong dir="auto">{makeVisible(line)}</strong>
          <br />
          {say('for', { services: services.includes('*') ? say('everything') : services.join(', ') })}
        </p>
        <label>
          {say('pair.label')}
          <input ref={label} maxLength={64} defaultValue={`${account}@${host}`} autocomplete="off" />
        </label>
        <div class="row">
          <button type="button" onClick={() => offer.answer(true)}>
            {say('pair.yes')}
          </button>
          <button type="button" class="danger" onClick={() => offer.answer(false)}>
            {say('pair.no')}
          </button>
        </div>
      </main>
    );
  }
  return (
    <main class="narrow">
      <h1>{say('pair.title')}</h1>
      <p>{say('pair.lead')}</p>
      <Scan
        label={say('pair.scan')}
        onText={(text) => {
          where.current!.value = text;
          if (pairLinkIn(text) !== undefined) form.current!.requestSubmit();
        }}
      />
      <form ref={form} onSubmit={pair}>
        <label>
          {say('pair.link')}
          <input
            ref={where}
            name="link"
            required
            defaultValue={link}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
          />
        </label>
        <label>
          {say('pair.at')}
          <input name="at" autocomplete="off" autocapitalize="none" spellcheck={false} />
        </label>
        <label>
          {say('pair.device')}
          <input
            name="device"
            required
            maxLength={MAX_NAME}
            defaultValue={`${browserModel()}, ${browserSystem()}`.slice(0, MAX_NAME)}
          />
        </label>
        <div class="row">
          <button type="submit" disabled={busy}>
            {say('pair.button')}
          </button>
          <button type="button" class="link" onClick={() => onDone()}>
            {say('back')}
          </button>
        </div>
      </form>
      <p role="status">{busy ? say('moment') : ''}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}
