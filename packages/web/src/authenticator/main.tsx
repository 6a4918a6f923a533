/**
 * The authenticator's page: outside, at the door, or inside.
 * @module
 */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { explain } from './explain.ts';
import { Inside } from './inside.tsx';
import { Lazy } from './lazy.tsx';
import { type Standing, standing } from './own.ts';
import { registerShell } from './shell.ts';
import { say } from './words.ts';

function App() {
  const [now, setNow] = useState<Standing>();
  const [failure, setFailure] = useState('');
  const look = () => {
    standing().then(setNow, (error: unknown) => setFailure(explain(error)));
  };
  useEffect(look, []);
  if (!isSecureContext) return <p role="alert">{say('insecure')}</p>;
  if (failure !== '') return <p role="alert">{failure}</p>;
  switch (now?.at) {
    case undefined:
      return <p role="status">{say('moment')}</p>;
    case 'outside':
      return (
        <Lazy
          key={now.at}
          load={() => import('./join/welcome.tsx')}
          pick="Welcome"
          begun={now.begun}
          onDone={look}
        />
      );
    case 'door':
      return (
        <Lazy
          key={now.at}
          load={() => import('./join/wall.tsx')}
          pick="Wall"
          waiting={now.waiting}
          onDone={look}
        />
      );
    case 'inside':
      return <Inside responder={now.responder} />;
  }
}

render(<App />, document.getElementById('app')!);
registerShell();
