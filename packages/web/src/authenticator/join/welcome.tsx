/**
 * Outside: make an account, or join one that there is.
 * @module
 */
import { useState } from 'preact/hooks';
import { Lazy } from '../lazy.tsx';
import { isForValidator, linkOfPage } from '../links.ts';
import { say } from '../words.ts';
import { Create } from './create.tsx';
import { Join } from './join.tsx';
import { Recover } from './recover.tsx';

type Way = 'create' | 'join' | 'recover' | 'validator';

/** @param begun name of an account that was begun here, and may have been made */
export function Welcome({ begun, onDone }: { begun: string | undefined; onDone(): void }) {
  const [way, setWay] = useState<Way | undefined>(() => {
    if (isForValidator()) return 'validator';
    if (begun !== undefined) return 'create';
    return linkOfPage() === undefined ? undefined : 'join';
  });
  switch (way) {
    case 'create':
      return <Create name={begun ?? ''} onBack={() => setWay(undefined)} onDone={onDone} />;
    case 'join':
      return <Join link={linkOfPage() ?? ''} onBack={() => setWay(undefined)} onDone={onDone} />;
    case 'recover':
      return <Recover onBack={() => setWay(undefined)} onDone={onDone} />;
    case 'validator':
      return (
        <Lazy
          load={() => import('../../validator/validator.tsx')}
          pick="Validator"
          onBack={() => setWay(undefined)}
        />
      );
    case undefined:
      return (
        <main class="narrow">
          <h1>{say('title')}</h1>
          <p>{say('welcome.lead')}</p>
          <div class="stack">
            <button type="button" onClick={() => setWay('create')}>
              {say('welcome.create')}
            </button>
            <button type="button" class="plain" onClick={() => setWay('join')}>
              {say('welcome.join')}
            </button>
            <button type="button" class="plain" onClick={() => setWay('validator')}>
              {say('welcome.validator')}
            </button>
            <button type="button" class="link" onClick={() => setWay('recover')}>
              {say('welcome.recover')}
            </button>
          </div>
        </main>
      );
  }
}
