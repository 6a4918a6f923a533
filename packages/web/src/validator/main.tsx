/**
 * The page that a host serves by itself: the validator alone, without a broker.
 * @module
 */
import { render } from 'preact';
import { registerShell } from '../authenticator/shell.ts';
import { say } from '../authenticator/words.ts';
import { Validator } from './validator.tsx';

render(
  isSecureContext ? <Validator /> : <p role="alert">{say('insecure')}</p>,
  document.getElementById('app')!,
);
registerShell();
